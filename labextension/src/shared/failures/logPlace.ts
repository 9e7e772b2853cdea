import type { ILogPlace } from './failureAdvice';

/** The parameters of a screen that shows a line of its log, or the log's end. */
export function logParameters(place: ILogPlace | null): Record<string, string> {
  return {
    tab: 'logs',
    stream: place?.stream ?? '',
    line: place ? String(place.line) : '',
    // Whoever asks for the same line again wants to be led there again.
    asked: place ? String(Date.now()) : ''
  };
}

/** The line of a log that the screen's parameters name; null for none. */
export function logPlace(
  parameters: Readonly<Record<string, string>>
): (ILogPlace & { asked: string }) | null {
  const line = Number(parameters['line'] || NaN);
  const stream = parameters['stream'] ?? '';
  return stream && Number.isInteger(line) && line >= 0
    ? { stream, line, asked: parameters['asked'] ?? '' }
    : null;
}
