/**
 * The texts in which a credential may stand. Pure.
 *
 * @module
 */

/** Puts a value, and for the named ones its name, into a text. */
export type Frame = (value: string, name: string) => string;

/** For what is recognized by itself. */
export const BARE_FRAMES: Readonly<Record<string, Frame>> = {
  alone: (value) => value,
  sentence: (value) => `deploy failed with ${value} at 10:42`,
  quoted: (value) => `got "${value}", expected another`,
  apostrophes: (value) => `got '${value}', expected another`,
  brackets: (value) => `(see [${value}])`,
  backticks: (value) => `run it with \`${value}\` again`,
  lines: (value) => `first line\n${value}\nlast line`,
  "escaped lines": (value) => `first line\\n${value}\\nlast line`,
  JSON: (value) => JSON.stringify({ text: { detail: value } }),
  "JSON in JSON": (value) => JSON.stringify(JSON.stringify({ detail: value })),
  assigned: (value) => `x=${value}`,
  listed: (value) => `a,${value},b`,
  XML: (value) => `<detail>${value}</detail>`,
  colon: (value) => `error: ${value}: denied`,
  "end of sentence": (value) => `It was ${value}.`,
};

const upper = (name: string) =>
  name.replaceAll(/[^a-z0-9]/gi, "_").toUpperCase();
const snake = (name: string) =>
  name.replaceAll(/[^a-z0-9]/gi, "_").toLowerCase();
const camel = (name: string) =>
  snake(name).replaceAll(/_([a-z])/g, (_, letter) => letter.toUpperCase());
const kebab = (name: string) => snake(name).replaceAll("_", "-");

/** For what its name alone gives away; the name comes in words: `db password`. */
export const NAMED_FRAMES: Readonly<Record<string, Frame>> = {
  "variable, unquoted": (v, n) => `export ${upper(n)}=${v}`,
  "variable, quoted": (v, n) => `export ${upper(n)}="${v}" && run`,
  "variable, apostrophes": (v, n) => `${upper(n)}='${v}' ./run`,
  "Windows set": (v, n) => `set ${upper(n)}=${v}`,
  INI: (v, n) => `[main]\n${snake(n)} = ${v}\nport = 5432`,
  TOML: (v, n) => `${snake(n)} = "${v}"`,
  YAML: (v, n) => `config:\n  ${snake(n)}: ${v}\n  port: 5432`,
  "YAML, quoted": (v, n) => `${camel(n)}: "${v}"`,
  "YAML, a list of variables": (v, n) =>
    `env:\n- name: ${upper(n)}\n  value: ${v}\n- name: PORT\n  value: "80"`,
  "YAML, block": (v, n) => `${snake(n)}: |\n  ${v}\nport: 1`,
  "JSON in a text": (v, n) => `got {"${camel(n)}": "${v}", "port": 1}`,
  "JSON in JSON": (v, n) =>
    `got {\\"${snake(n)}\\": \\"${v}\\", \\"port\\": 1}`,
  "JSON, compact": (v, n) => `{"a":1,"${kebab(n)}":"${v}"}`,
  "pairs of name and value": (v, n) =>
    `{"name": "${upper(n)}", "value": "${v}"}`,
  "pairs of key and value": (v, n) => `{key: "${snake(n)}", value: "${v}"}`,
  "short declaration": (v, n) => `${camel(n)} := "${v}"`,
  "short declaration, backticks": (v, n) => `${camel(n)} := \`${v}\``,
  "Go, typed": (v, n) => `var ${camel(n)} string = "${v}"`,
  "TypeScript, typed": (v, n) => `const ${camel(n)}: string = '${v}';`,
  "Rust, typed": (v, n) => `let ${snake(n)}: &str = "${v}";`,
  "C#": (v, n) => `private const string ${camel(n)} = @"${v}";`,
  "make, conditional": (v, n) => `${upper(n)} ?= "${v}"`,
  "make, POSIX": (v, n) => `${upper(n)} ::= ${v}`,
  "make, immediate": (v, n) => `${upper(n)} :::= "${v}"`,
  "PHP, appended": (v, n) => `$${snake(n)} .= "${v}";`,
  "Ruby, hash": (v, n) => `:${snake(n)} => '${v}'`,
  "PHP, array": (v, n) => `['${snake(n)}' => '${v}']`,
  arrow: (v, n) => `${snake(n)} -> "${v}"`,
  comparison: (v, n) => `if (${camel(n)} === "${v}") {`,
  default: (v, n) => `process.env.${upper(n)} || "${v}"`,
  subscript: (v, n) => `os.environ["${upper(n)}"] = "${v}"`,
  "two arguments": (v, n) => `System.setProperty("${upper(n)}", "${v}")`,
  "XML, element": (v, n) => `<c><${camel(n)}>${v}</${camel(n)}></c>`,
  "XML, element on lines": (v, n) => `<${camel(n)}>\n    ${v}\n</${camel(n)}>`,
  "XML, attribute": (v, n) => `<server ${camel(n)}="${v}" port="1"/>`,
  "XML, name and value": (v, n) => `<add key="${camel(n)}" value="${v}" />`,
  "XML, property": (v, n) => `<property name="${kebab(n)}">${v}</property>`,
  argv: (v, n) => `["run", "--${kebab(n)}", "${v}", "-v"]`,
  "argument with =": (v, n) => `tool --${kebab(n)}=${v} --verbose`,
  argument: (v, n) => `tool --${kebab(n)} ${v} --verbose`,
  query: (v, n) => `GET https://example.com/x?a=1&${snake(n)}=${v}&b=2 failed`,
  header: (v, n) => `curl -H "X-${kebab(n)}: ${v}" https://example.com`,
  "connection string": (v, n) => `Server=db;${camel(n)}=${v};Port=1`,
  "Terraform": (v, n) => `variable "${snake(n)}" {\n  default = "${v}"\n}`,
  "log fields": (v, n) => `level=error ${snake(n)}=${v} msg="denied"`,
  "make, added": (v, n) => `${upper(n)} += ${v}`,
  "Clojure, keyword": (v, n) => `:${kebab(n)} "${v}"`,
  "Lisp": (v, n) => `(setq ${kebab(n)} "${v}")`,
  "R": (v, n) => `${snake(n)} <- "${v}"`,
  "PowerShell": (v, n) => `$env:${upper(n)} = "${v}"`,
  "Dockerfile": (v, n) => `ENV ${upper(n)}=${v}`,
  "docker run": (v, n) => `docker run -e "${upper(n)}=${v}" image`,
  "PHP, constant": (v, n) => `define('${upper(n)}', '${v}');`,
  "environment with default": (v, n) => `x = env("${upper(n)}", "${v}")`,
  "headers in code": (v, n) => `headers: { "X-${kebab(n)}": "${v}" }`,
  "keyword argument": (v, n) => `Client("x", ${snake(n)}="${v}")`,
  "YAML, tagged": (v, n) => `${snake(n)}: !!str ${v}`,
  "YAML, folded": (v, n) => `${snake(n)}: >-\n  ${v}`,
  "YAML, list of arguments": (v, n) => `args:\n- --${kebab(n)}\n- ${v}`,
  "log of JSON": (v, n) => `{"level":"info","msg":"${snake(n)}=${v}"}`,
  "escaped operator": (v, n) => `{"q":"${snake(n)}\\u003d${v}"}`,
  "encoded query": (v, n) => `next=%2Fx%3F${snake(n)}%3D${v}`,
  "Ruby, or": (v, n) => `${snake(n)} ||= "${v}"`,
  "properties": (v, n) => `app.${snake(n)}=${v}`,
  "shell, up to a mark": (v, n) => `${snake(n)} = <<EOT\n${v}\nEOT`,
  "YAML, anchored": (v, n) => `${snake(n)}: &it ${v}`,
  "list, second item": (v, n) => `${snake(n)}s = ["none", "${v}"]`,
  "XML, CDATA": (v, n) => `<${camel(n)}><![CDATA[${v}]]></${camel(n)}>`,
  "XML, value first": (v, n) => `<property value="${v}" name="${kebab(n)}"/>`,
  "JSON, value first": (v, n) => `{"value":"${v}","name":"${upper(n)}"}`,
  "JSON, a field between": (v, n) =>
    `{"name": "${upper(n)}", "valueFrom": null, "value": "${v}"}`,
  "property list": (v, n) => `<key>${camel(n)}</key>\n<string>${v}</string>`,
  "XML-RPC": (v, n) =>
    `<name>${snake(n)}</name><value><string>${v}</string></value>`,
  "HTML, input": (v, n) =>
    `<input type="password" name="${snake(n)}" value="${v}">`,
  "Rust, debugged": (v, n) => `C { ${snake(n)}: Some("${v}"), port: 1 }`,
  "Rust, owned": (v, n) => `let ${snake(n)} = String::from("${v}");`,
  "Perl, quoted": (v, n) => `my $${snake(n)} = q{${v}};`,
  "Lua, long": (v, n) => `${snake(n)} = [[${v}]]`,
  "Visual Basic": (v, n) => `Dim ${camel(n)} As String = "${v}"`,
  "Erlang": (v, n) => `{${snake(n)}, "${v}"}`,
  "Erlang, binary": (v, n) => `{${snake(n)}, <<"${v}">>}`,
  "an argument": (v, n) => `strcpy(${snake(n)}, "${v}");`,
  "form, in parts": (v, n) =>
    `form-data; name="${snake(n)}"\r\n\r\n${v}\r\n--x`,
  "Markdown, bold": (v, n) => `**${snake(n)}:** ${v}`,
  "chat, bold": (v, n) => `*${snake(n)}*: ${v}`,
  "arrow, one character": (v, n) => `${snake(n)} → ${v}`,
  "Jsonnet": (v, n) => `${snake(n)}:: "${v}",`,
  "ODBC, braces": (v, n) => `Uid=a;${camel(n)}={${v}};Port=1`,
  "changed": (v, n) => `~ ${snake(n)} = "${v}1" -> "${v}"`,
  "national string": (v, n) => `${snake(n)} = N'${v}'`,
  "element, not closed": (v, n) => `<${camel(n)}>${v}`,
  "greater than": (v, n) => `"${camel(n)}" > "${v}"`,
  "in prose": (v, n) =>
    `I used the ${n.replace(/ (?:prod|base)$/, "")}: ${v} and it failed`,
};
