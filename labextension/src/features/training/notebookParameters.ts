import { pythonLiteral, pythonString } from '../../shared/python';

/** A cell as far as its parameters go. */
export interface ICellSource {
  source: string;
  tags: readonly string[];
}

const ASSIGNMENT = /^([A-Za-z_]\w*)\s*(?::[^=]+)?=(?!=)\s*(.+)$/;
// Texts as a whole, so that what is in them is left alone; comments; words; a comma before the end.
const TOKEN =
  /"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|#.*$|\b(?:True|False|None)\b|,(?=\s*[\]}])/g;
const WORDS: Record<string, string> = {
  True: 'true',
  False: 'false',
  None: 'null'
};

/**
 * The parameters that a notebook names: assignments of a value in the cell tagged `parameters`.
 *
 * What is computed, or goes over several lines, is no value that a dialog could ask for.
 *
 * @returns each name with its value as Python writes it.
 */
export function notebookParameters(
  cells: readonly ICellSource[]
): Record<string, string> {
  const cell = cells.find(item => item.tags.includes('parameters'));
  const found: Record<string, string> = {};
  for (const line of (cell?.source ?? '').split('\n')) {
    const match = ASSIGNMENT.exec(line);
    const [, name, text] = match ?? [];
    const value = text === undefined ? undefined : readLiteral(text);
    if (name !== undefined && value !== undefined) {
      found[name] = oneLine(value);
    }
  }
  return found;
}

/** A value as Python writes it, on one line. */
function oneLine(value: unknown): string {
  if (Array.isArray(value)) {
    return `[${value.map(oneLine).join(', ')}]`;
  }
  if (typeof value === 'object' && value !== null) {
    const items = Object.entries(value).map(
      ([name, item]) => `${pythonString(name)}: ${oneLine(item)}`
    );
    return `{${items.join(', ')}}`;
  }
  return pythonLiteral(value);
}

/** What the text of a dialog means: a Python value, or else the text itself. */
export function parameterValue(text: string): unknown {
  const value = readLiteral(text);
  return value === undefined ? text : value;
}

/** A Python literal as a value; undefined for anything else. */
function readLiteral(text: string): unknown {
  const json = text.replace(TOKEN, token => {
    if (token === ',' || token.startsWith('#')) {
      return '';
    }
    return token.startsWith("'")
      ? doubleQuoted(token)
      : (WORDS[token] ?? token);
  });
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

/** A single-quoted text in double quotes; JSON knows no escaped single quote. */
function doubleQuoted(token: string): string {
  const inner = token
    .slice(1, -1)
    .replace(/\\.|"/g, part =>
      part === "\\'" ? "'" : part === '"' ? '\\"' : part
    );
  return `"${inner}"`;
}
