// The laboratory: polling and WebSocket, measured side by side.
export function Laboratory() {
  return null;
}
