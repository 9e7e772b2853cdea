import type { TranslationBundle } from '@jupyterlab/translation';
import type { RJSFSchema, UiSchema } from '@rjsf/utils';

import type {
  IAlgorithmDescription,
  IHyperParameterCondition,
  IHyperParameterDescription
} from '../../api/types/training';
import type { FormValues } from '../../shared/forms/schemaForm';

/** Values as the API has them. */
export type Hyperparameters = Readonly<Record<string, string>>;

/** A form for some hyperparameters. */
export interface IHyperparameterForm {
  schema: RJSFSchema;
  uiSchema: UiSchema<FormValues>;
}

/** Whether another hyperparameter has one of the values, be it by its default. */
function holds(
  condition: IHyperParameterCondition,
  algorithm: IAlgorithmDescription,
  values: Hyperparameters
): boolean {
  const other = algorithm.HyperParameters.find(
    item => item.Name === condition.Name
  );
  const value = values[condition.Name] ?? other?.Default;
  return value !== undefined && condition.Values.includes(value);
}

/** Whether a hyperparameter has an effect beside the other values. */
export function isUsed(
  parameter: IHyperParameterDescription,
  algorithm: IAlgorithmDescription,
  values: Hyperparameters
): boolean {
  return !parameter.UsedWhen || holds(parameter.UsedWhen, algorithm, values);
}

/** Whether a hyperparameter must be given beside the other values. */
export function isRequired(
  parameter: IHyperParameterDescription,
  algorithm: IAlgorithmDescription,
  values: Hyperparameters
): boolean {
  return (
    parameter.Required ||
    Boolean(
      parameter.RequiredWhen && holds(parameter.RequiredWhen, algorithm, values)
    )
  );
}

/**
 * The hyperparameters that the form shows now.
 *
 * @param essential whether the few that most people set are meant, or the rest. One that must be
 * given, or that the form starts with, is never among the rest, which are folded.
 */
export function shownParameters(
  algorithm: IAlgorithmDescription,
  values: Hyperparameters,
  essential: boolean
): IHyperParameterDescription[] {
  return algorithm.HyperParameters.filter(
    item =>
      isUsed(item, algorithm, values) &&
      (item.Essential ||
        item.Name in algorithm.DefaultHyperParameters ||
        isRequired(item, algorithm, values)) === essential
  );
}

/** The names of values that no description covers: other names of a parameter, say. */
export function undescribed(
  algorithm: IAlgorithmDescription,
  values: Hyperparameters
): string[] {
  const known = new Set(algorithm.HyperParameters.map(item => item.Name));
  return Object.keys(values).filter(name => !known.has(name));
}

/** What is sent: values that have an effect, and those that the form does not know. */
export function sentHyperparameters(
  algorithm: IAlgorithmDescription,
  values: Hyperparameters
): Record<string, string> {
  const unused = new Set(
    algorithm.HyperParameters.filter(
      item => !isUsed(item, algorithm, values)
    ).map(item => item.Name)
  );
  return Object.fromEntries(
    Object.entries(values).filter(
      ([name, value]) => value !== '' && !unused.has(name)
    )
  );
}

/** The form of some hyperparameters: types, ranges, a sentence each, defaults as placeholders. */
export function hyperparameterForm(
  shown: readonly IHyperParameterDescription[],
  algorithm: IAlgorithmDescription,
  values: Hyperparameters,
  trans: TranslationBundle
): IHyperparameterForm {
  const properties = shown.map(
    item => [item.Name, propertySchema(item, trans)] as const
  );
  const looks = shown.map(item => [item.Name, look(item, trans)] as const);
  return {
    schema: {
      type: 'object',
      properties: Object.fromEntries(properties),
      required: shown
        .filter(item => isRequired(item, algorithm, values))
        .map(item => item.Name)
    },
    uiSchema: Object.fromEntries(looks)
  };
}

function propertySchema(
  parameter: IHyperParameterDescription,
  trans: TranslationBundle
): RJSFSchema {
  const common = {
    title: parameter.Name,
    description: isNumeric(parameter)
      ? trans.__('%1 Range: %2', parameter.Description, parameter.Range)
      : parameter.Description
  };
  const words = parameter.AlsoAccepts ?? [];
  if (isNumeric(parameter) && words.length > 0) {
    // A number or a word is a text; what it can be is judged by `hyperparameterProblems`.
    return { ...common, type: 'string', examples: [...words] };
  }
  switch (parameter.Type) {
    case 'Integer':
      return { ...common, type: 'integer', ...bounds(parameter) };
    case 'Continuous':
      return { ...common, type: 'number', ...bounds(parameter) };
    case 'Categorical':
      return { ...common, type: 'string', enum: parameter.Choices ?? [] };
    case 'FreeText':
      return { ...common, type: 'string' };
  }
}

function bounds(parameter: IHyperParameterDescription): RJSFSchema {
  const { Minimum: low, Maximum: high } = parameter;
  return {
    ...(low === undefined
      ? {}
      : { [parameter.ExclusiveMinimum ? 'exclusiveMinimum' : 'minimum']: low }),
    ...(high === undefined
      ? {}
      : { [parameter.ExclusiveMaximum ? 'exclusiveMaximum' : 'maximum']: high })
  };
}

function look(
  parameter: IHyperParameterDescription,
  trans: TranslationBundle
): UiSchema<FormValues> {
  return {
    'ui:placeholder':
      parameter.Default === undefined
        ? trans.__('not set')
        : trans.__('default: %1', parameter.Default)
  };
}

/** Whether a value is a number, or a word that stands in place of one. */
function isNumeric(parameter: IHyperParameterDescription): boolean {
  return parameter.Type === 'Integer' || parameter.Type === 'Continuous';
}

/** The values as the form wants them; text that is no number stays text and is shown as wrong. */
export function formValues(
  parameters: readonly IHyperParameterDescription[],
  values: Hyperparameters
): FormValues {
  const found: Record<string, string | number> = {};
  for (const item of parameters) {
    const text = values[item.Name];
    if (text === undefined) {
      continue;
    }
    const isNumber = isNumeric(item) && !item.AlsoAccepts?.length;
    const number = text.trim() === '' ? NaN : Number(text);
    found[item.Name] = isNumber && Number.isFinite(number) ? number : text;
  }
  return found;
}

/** The values after a change in the form; others stay, and so does how a number was written. */
export function takeFormValues(
  parameters: readonly IHyperParameterDescription[],
  values: Hyperparameters,
  form: FormValues
): Record<string, string> {
  const shown = new Set(parameters.map(item => item.Name));
  const before = formValues(parameters, values);
  const others = Object.entries(values).filter(([name]) => !shown.has(name));
  const given = Object.entries(form)
    .filter(
      ([name, value]) =>
        shown.has(name) && value !== undefined && value !== null && value !== ''
    )
    .map(([name, value]): [string, string] => {
      const text = values[name];
      return [
        name,
        text !== undefined && value === before[name] ? text : String(value)
      ];
    });
  return Object.fromEntries([...others, ...given]);
}

/** What is wrong with the values, by name. */
export function hyperparameterProblems(
  algorithm: IAlgorithmDescription,
  values: Hyperparameters,
  trans: TranslationBundle
): Record<string, string> {
  const problems: Record<string, string> = {};
  for (const item of algorithm.HyperParameters) {
    const text = values[item.Name] ?? '';
    if (!isUsed(item, algorithm, values)) {
      continue;
    }
    if (text === '') {
      if (isRequired(item, algorithm, values)) {
        problems[item.Name] = trans.__(
          '%1 must be given; allowed: %2.',
          item.Name,
          item.Range
        );
      }
    } else if (!isAllowed(item, text)) {
      problems[item.Name] = trans.__(
        '%1 cannot be %2; allowed: %3.',
        item.Name,
        text,
        item.Range
      );
    }
  }
  return problems;
}

function isAllowed(item: IHyperParameterDescription, text: string): boolean {
  if (item.Type === 'FreeText') {
    return true;
  }
  if (item.Type === 'Categorical') {
    return (item.Choices ?? []).includes(text);
  }
  if (item.AlsoAccepts?.includes(text)) {
    return true;
  }
  const value = text.trim() === '' ? NaN : Number(text);
  const { Minimum: low = -Infinity, Maximum: high = Infinity } = item;
  return (
    Number.isFinite(value) &&
    (item.Type === 'Continuous' || Number.isInteger(value)) &&
    (item.ExclusiveMinimum ? value > low : value >= low) &&
    (item.ExclusiveMaximum ? value < high : value <= high)
  );
}
