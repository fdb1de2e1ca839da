// Texts of the log.
export default {};
