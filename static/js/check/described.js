// What ws-echo tells of a connection with hello=json. Pure.

/** The `connection` of hello=json, if this is the message of a ws-echo that has it. */
export function description(data) {
  try {
    const { connection } = JSON.parse(data);
    return typeof connection.httpVersion === "string" && Array.isArray(connection.headers) ? connection : null;
  } catch {
    return null;
  }
}

/** Start of each close reason of ws-echo. */
export const OWN_REASON = "ws-echo: ";
