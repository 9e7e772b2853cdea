import { FIELDS } from './findings';

/** What the ids of the fields of the hyperparameter form begin with. */
export const HYPERPARAMETER_PREFIX = 'hyperparameters';

const FOCUSABLE = 'input:not([type="hidden"]), select, textarea, button';

/** Whether a finding is about something that the form has a field for. */
export function hasField(field: string): boolean {
  return (
    field.startsWith('HyperParameters.') ||
    /^InputDataConfig(\.|$)/.test(field) ||
    Object.values<string>(FIELDS).some(
      own =>
        own === field ||
        own.startsWith(`${field}.`) ||
        field.startsWith(`${own}.`)
    )
  );
}

/**
 * Bring the field of a finding into sight and put the focus there.
 *
 * @param field as CheckTrainingJob names it. Where it has no field of its own, the nearest one
 * above or below it is meant: `InputDataConfig.train.ContentType` is part of
 * `InputDataConfig.train`, which is part of `InputDataConfig`.
 */
export function focusField(root: HTMLElement, field: string): void {
  const parts = field.split('.');
  for (let length = parts.length; length > 0; length -= 1) {
    const found = find(root, parts.slice(0, length).join('.'));
    if (found) {
      found.scrollIntoView({ block: 'center' });
      found.focus();
      return;
    }
  }
}

function find(root: HTMLElement, field: string): HTMLElement | null {
  const hyperparameter = field.replace(
    /^HyperParameters\./,
    `${HYPERPARAMETER_PREFIX}_`
  );
  const own = `[data-field=${JSON.stringify(field)}]`;
  const below = `[data-field^=${JSON.stringify(`${field}.`)}]`;
  for (const selector of [
    `[id=${JSON.stringify(hyperparameter)}]`,
    `${own} [aria-invalid]`,
    `${own} :is(${FOCUSABLE})`,
    `${below} [aria-invalid]`
  ]) {
    const found = root.querySelector<HTMLElement>(selector);
    if (found) {
      return found;
    }
  }
  return null;
}
