// The drawer "Simulate a fault".
export function Drawer() {
  return null;
}
