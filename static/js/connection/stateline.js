// The line under the address bar.
export function StateLine() {
  return null;
}
