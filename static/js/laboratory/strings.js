// Texts of the laboratory.
export default {};
