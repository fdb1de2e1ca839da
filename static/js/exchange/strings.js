// Texts of the last exchange and the composer.
export default {};
