// The result to copy: as the command's --format json and markdown write it. Pure.

/** The command that does `names`, or all checks. */
export const command = (url, names = []) => ["ws-echo check", shell(url), ...(names.length ? [`--only ${names.join(",")}`] : [])].join(" ");
const shell = (text) => (/^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`);

/** `checks`: [{ name, verdict, seen, meaning, fix }], as docs/check.schema.json has them. */
export const json = (target, verdict, checks) => `${JSON.stringify({ target, verdict, checks: checks.map(({ name, verdict, seen, meaning, fix }) => ({ name, verdict, seen, meaning, fix })) }, null, 2)}\n`;

const cell = (text) => text.replace(/[|\\`*_<>[\]&]/g, "\\$&");

export function markdown(target, verdict, checks) {
  const rows = checks.map(({ name, verdict, seen }) => `| ${verdict} | ${name} | ${cell(seen)} |\n`).join("");
  const found = checks.filter(({ verdict }) => verdict === "broken" || verdict === "differs");
  const section = ({ name, verdict, meaning, fix }) => `\n## ${name}: ${verdict}\n\n${meaning}\n${fix.map(({ where, change }) => `\n${where}:\n\n\`\`\`\n${change}\n\`\`\`\n`).join("")}`;
  return `# ws-echo check \`${target.replaceAll("`", "'")}\`\n\n**${verdict}**\n\n| verdict | check | what was seen |\n|---|---|---|\n${rows}${found.map(section).join("")}`;
}
