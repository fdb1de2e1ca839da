// Texts of the inspector.
export default {};
