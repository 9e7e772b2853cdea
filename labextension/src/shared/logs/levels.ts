/** How much a line of a log matters. */
export type LogLevel = 'error' | 'warning' | 'plain';

// Names of metrics have these words too, `train-error:0.12` say. So a level stands by itself in
// capitals, or at the start of the line; and an exception's name is the line's first word.
const ERROR = new RegExp(
  [
    /(?:^|[\s[(|<])(?:ERROR|CRITICAL|FATAL)(?:$|[\s\]):>|,])/,
    /^\s*[Ee]rror:/,
    /^(?:\w+\.)*[A-Z]\w*(?:Error|Exception)(?::|$)/,
    /^Traceback \(most recent call last\)/
  ]
    .map(part => part.source)
    .join('|')
);

const WARNING = new RegExp(
  [
    /(?:^|[\s[(|<])WARN(?:ING)?(?:$|[\s\]):>|,])/,
    /^\s*[Ww]arning:/,
    /(?:^|[\s:.])[A-Z]\w*Warning:/
  ]
    .map(part => part.source)
    .join('|')
);

/** The level that a line has by its words. */
export function logLevel(message: string): LogLevel {
  if (ERROR.test(message)) {
    return 'error';
  }
  return WARNING.test(message) ? 'warning' : 'plain';
}
