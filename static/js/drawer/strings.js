// Texts of the drawer.
export default {};
