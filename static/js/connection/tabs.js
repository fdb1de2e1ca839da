// The strip of connection tabs.
export function ConnectionTabs() {
  return null;
}
