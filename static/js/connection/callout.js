// The explanation of an end.
export function Callout() {
  return null;
}
