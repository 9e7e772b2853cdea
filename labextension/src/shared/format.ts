import type { TranslationBundle } from '@jupyterlab/translation';

/**
 * A span of time as a clock shows it: `0:41`, `12:40`, `3:02:10`.
 *
 * @param seconds the span; less than one second shows its tenths, `0.4 s`.
 */
export function duration(seconds: number): string {
  if (seconds < 1) {
    return `${Math.max(0, seconds).toFixed(1)} s`;
  }
  const whole = Math.round(seconds);
  const parts = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  const rest = String(whole % 60).padStart(2, '0');
  const [hours, minutes] = parts as [number, number];
  return hours > 0
    ? `${hours}:${String(minutes).padStart(2, '0')}:${rest}`
    : `${minutes}:${rest}`;
}

/** A span of time in words short enough for a bar: `0.2 s`, `38.6 s`, `4 min`, `2 h 5 min`. */
export function span(seconds: number): string {
  if (seconds < 60) {
    return `${seconds.toFixed(1)} s`;
  }
  const minutes = Math.round(seconds / 60);
  return minutes < 60
    ? `${minutes} min`
    : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** How long ago something was: `just now`, `21 min ago`, then the day. */
export function ago(
  time: number,
  now: number,
  trans: TranslationBundle
): string {
  const seconds = now - time;
  if (seconds < 60) {
    return trans.__('just now');
  }
  if (seconds < 3600) {
    return trans.__('%1 min ago', Math.floor(seconds / 60));
  }
  if (seconds < 86_400) {
    return trans.__('%1 h ago', Math.floor(seconds / 3600));
  }
  return new Date(time * 1000).toLocaleDateString();
}

/** A moment in full, in the reader's own way. */
export function moment(time: number): string {
  return new Date(time * 1000).toLocaleString();
}

/** A moment of today: `12:04:41`; the hour after midnight is `00`. */
export function clock(time: number): string {
  return new Date(time * 1000).toLocaleTimeString([], { hourCycle: 'h23' });
}

/** A size: `812 B`, `3.4 kB`, `1.2 GB`. */
export function bytes(count: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = count;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

/** A measured number in four significant digits: `0.8412`, `18.22`, `1.2e-7`. */
export function measured(value: number): string {
  if (!Number.isFinite(value)) {
    return String(value);
  }
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-4 || size >= 1e7)) {
    return value.toExponential(2);
  }
  return Number.isInteger(value)
    ? String(value)
    : String(Number(value.toPrecision(4)));
}

/** A latency given in seconds: `0.82 ms`, `3.1 ms`, `1.20 s`. */
export function latency(seconds: number): string {
  if (seconds >= 1) {
    return `${seconds.toFixed(2)} s`;
  }
  const milliseconds = seconds * 1000;
  return `${milliseconds.toFixed(milliseconds < 1 ? 2 : milliseconds < 100 ? 1 : 0)} ms`;
}

/** A share of one: `0.02 %`. */
export function percent(share: number): string {
  const value = share * 100;
  return `${value === 0 || value >= 10 ? Math.round(value) : value.toFixed(2)} %`;
}

/** Who acted: the session's name, of `arn:aws:sts::…:assumed-role/role/session`. */
export function sessionOf(arn: string): string {
  return arn.slice(arn.lastIndexOf('/') + 1);
}
