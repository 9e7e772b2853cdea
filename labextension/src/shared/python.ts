/** A JSON value as Python source: readable, and equal when it is run. */
export function pythonLiteral(value: unknown, indent = ''): string {
  if (value === null || value === undefined) {
    return 'None';
  }
  if (typeof value === 'boolean') {
    return value ? 'True' : 'False';
  }
  if (typeof value === 'number') {
    return Number.isFinite(value) ? String(value) : `float("${value}")`;
  }
  if (typeof value === 'string') {
    return pythonString(value);
  }
  const inner = `${indent}    `;
  if (Array.isArray(value)) {
    if (value.length === 0) {
      return '[]';
    }
    const items = value.map(item => `${inner}${pythonLiteral(item, inner)},`);
    return `[\n${items.join('\n')}\n${indent}]`;
  }
  const entries = Object.entries(value as Record<string, unknown>).filter(
    ([, item]) => item !== undefined
  );
  if (entries.length === 0) {
    return '{}';
  }
  const lines = entries.map(
    ([name, item]) =>
      `${inner}${pythonString(name)}: ${pythonLiteral(item, inner)},`
  );
  return `{\n${lines.join('\n')}\n${indent}}`;
}

/** A text as a Python string. JSON's escapes are Python's own. */
export function pythonString(text: string): string {
  return JSON.stringify(text);
}

/**
 * A boto3 call as a person would write it.
 *
 * @param service boto3's name of the service.
 * @param method the client's method, `create_training_job`.
 */
export function boto3Call(
  service: string,
  method: string,
  request: object
): string {
  const name = service.replace(/-/g, '_');
  const lines = Object.entries(request as Record<string, unknown>)
    .filter(([, value]) => value !== undefined)
    .map(([member, value]) => `    ${member}=${pythonLiteral(value, '    ')},`);
  const body = lines.length === 0 ? '' : `\n${lines.join('\n')}\n`;
  return `import boto3\n\n${name} = boto3.client("${service}")\n${name}.${method}(${body})\n`;
}
