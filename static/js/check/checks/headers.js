// The check headers: the fields that the far end received beside those that this browser sent.
import { withQuery } from "../../connection/url.js";
import { compare, sent } from "../../inspector/headers.js";
import { description } from "../described.js";

/** Fields of one hop, which a proxy replaces. The check compression looks at the extensions. */
const HOP_BY_HOP = ["connection", "upgrade", "keep-alive", "sec-websocket-extensions"];

export async function headers(target, outcome) {
  if (target.isOther) return outcome.unknown("check.seen.noRequest");
  const behaviours = { compress: "off", hello: "json" };
  const link = await target.connect(behaviours);
  const described = description((await link.next()).data);
  link.leave();
  if (!described) return outcome.unknown("check.seen.noDescription");
  judgeHeaders(outcome, described, { url: withQuery(target.url, behaviours), origin: location.origin });
}

/** A page knows only some of the fields that its browser sends. Pure. */
export function judgeHeaders(outcome, described, { url, origin }) {
  const own = sent({ url, protocols: [], origin });
  const line = `GET ${own.target} HTTP/1.1`;
  const fields = compare({ line, headers: described.headers, omitted: 0 }, own).fields.filter(({ name }) => !HOP_BY_HOP.includes(name.toLowerCase()));
  const marked = (mark) => fields.filter((field) => field.mark === mark);
  const [lost, changed, added] = ["removed", "changed", "added"].map(marked);
  if (lost.length) outcome.broken("lost", "check.seen.lost", { names: lost.map(({ name }) => name).join(", ") });
  if (changed.length) outcome.differs("changed", "check.seen.changed", { names: { each: changed.map(({ name, value, was }) => ({ key: "check.seen.field", vars: { name, before: was, after: value } })) } });
  if (added.length) outcome.differs("added", added.length === 1 ? "check.page.added.one" : "check.page.added", { names: added.map(({ name, value }) => `${name}: ${value}`).join(", ") });
  if (!lost.length && !changed.length && !added.length) outcome.ok("check.seen.fields", { n: fields.filter(({ name }) => has(own.fields, name)).length });
}
const has = (fields, name) => [...fields.keys()].some((key) => key.toLowerCase() === name.toLowerCase());
