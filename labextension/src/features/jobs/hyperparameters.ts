import type {
  IAlgorithmDescription,
  IHyperParameterDescription
} from '../../api/types/training';
import { unquoted } from './facts';

/** A hyperparameter of a job, beside what it would have been. */
export interface IHyperparameter {
  name: string;
  value: string;
  /** Absent where the algorithm has none, or is not known. */
  fallback: string | undefined;
  /** Whether the value is another than the default. */
  changed: boolean;
  description: string;
}

/**
 * A job's hyperparameters: those that differ from the defaults first, then by name.
 *
 * @param algorithm the built-in algorithm that the job runs, if any.
 */
export function hyperparameters(
  given: Readonly<Record<string, string>>,
  algorithm: IAlgorithmDescription | null
): IHyperparameter[] {
  const known = new Map<string, IHyperParameterDescription>(
    (algorithm?.HyperParameters ?? []).map(entry => [entry.Name, entry])
  );
  return Object.entries(given)
    .map(([name, text]) => {
      const value = unquoted(text);
      const fallback = known.get(name)?.Default;
      return {
        name,
        value,
        fallback,
        changed: algorithm !== null && !sameValue(value, fallback),
        description: known.get(name)?.Description ?? ''
      };
    })
    .sort(
      (a, b) =>
        Number(b.changed) - Number(a.changed) || a.name.localeCompare(b.name)
    );
}

/** Whether two texts are one value: `0.30` is `0.3`. */
function sameValue(one: string, other: string | undefined): boolean {
  if (other === undefined) {
    return false;
  }
  const numbers = [Number(one), Number(other)];
  return one.trim() !== '' && numbers.every(Number.isFinite)
    ? numbers[0] === numbers[1]
    : one === other;
}
