import type { TranslationBundle } from '@jupyterlab/translation';
import { useMemo, useRef } from 'react';

import type {
  IFlowColumn,
  IFlowParameter
} from '../../../../api/types/wrangler';
import type { Values } from '../json';
import { cellText } from '../json';
import { CodeEditor } from './codeEditor';
import { ColumnField, ColumnsField } from './columnFields';
import type { IFieldAttributes } from './field';
import { FormField } from './field';
import { formulaCompletions } from './formula';
import { RecordsField } from './recordsField';
import { TextsField } from './textsField';
import type { IProblem } from './values';
import {
  defaultOf,
  effective,
  heededParameters,
  rangeText,
  textsOf
} from './values';

interface IParameterFieldsProps {
  parameters: readonly IFlowParameter[];
  /** Of the table that comes in. */
  columns: readonly IFlowColumn[];
  values: Values;
  /** What is said of one of them. */
  problem: IProblem | null;
  trans: TranslationBundle;
  onChange: (values: Record<string, unknown>) => void;
}

/** A field for each parameter that counts with the present values. */
export function ParameterFields(props: IParameterFieldsProps): JSX.Element {
  const { parameters, values, onChange } = props;
  return (
    <>
      {heededParameters(parameters, values).map(parameter => (
        <ParameterField
          key={parameter.Name}
          parameter={parameter}
          columns={props.columns}
          values={values}
          problem={
            props.problem?.parameter === parameter.Name
              ? props.problem.message
              : null
          }
          trans={props.trans}
          onChange={value => onChange({ ...values, [parameter.Name]: value })}
        />
      ))}
    </>
  );
}

interface IParameterFieldProps {
  parameter: IFlowParameter;
  columns: readonly IFlowColumn[];
  values: Values;
  problem: string | null;
  trans: TranslationBundle;
  onChange: (value: unknown) => void;
}

const GROUPS: readonly string[] = [
  'columns',
  'records',
  'texts',
  'code',
  'formula'
];

function ParameterField(props: IParameterFieldProps): JSX.Element {
  const { parameter, trans } = props;
  const range = rangeText(parameter, trans);
  return (
    <FormField
      name={parameter.Name}
      label={parameter.Label}
      sentence={
        range
          ? trans.__('%1 Range: %2.', parameter.Sentence, range)
          : parameter.Sentence
      }
      required={parameter.Required}
      problem={props.problem}
      group={GROUPS.includes(parameter.Kind)}
    >
      {attributes => <Control {...props} attributes={attributes} />}
    </FormField>
  );
}

type IControlProps = IParameterFieldProps & { attributes: IFieldAttributes };

function Control(props: IControlProps): JSX.Element {
  const { parameter, columns, values, trans, attributes, onChange } = props;
  const value = values[parameter.Name];
  switch (parameter.Kind) {
    case 'column':
      return (
        <ColumnField
          {...{ parameter, columns, value, trans, attributes, onChange }}
        />
      );
    case 'columns':
      return (
        <ColumnsField
          {...{ parameter, columns, value, trans, onChange }}
          problem={props.problem !== null}
        />
      );
    case 'choice':
      return <ChoiceField {...props} />;
    case 'boolean':
      return (
        <input
          {...attributes}
          type="checkbox"
          checked={effective(parameter, values) === true}
          onChange={event => onChange(event.target.checked)}
        />
      );
    case 'records':
      return (
        <RecordsField
          {...{ parameter, trans, onChange }}
          value={effective(parameter, values)}
          fields={(record, change) => (
            <ParameterFields
              parameters={parameter.Fields ?? []}
              columns={columns}
              values={record}
              problem={null}
              trans={trans}
              onChange={change}
            />
          )}
        />
      );
    case 'texts':
      return (
        <TextsField
          label={parameter.Label}
          value={textsOf(effective(parameter, values))}
          trans={trans}
          onChange={onChange}
        />
      );
    case 'code':
    case 'formula':
      return <CodeField {...props} />;
    default:
      return <TextField {...props} />;
  }
}

function ChoiceField(props: IControlProps): JSX.Element {
  const { parameter, values, trans, onChange } = props;
  const chosen = cellText(effective(parameter, values)) ?? '';
  const choices = parameter.Choices ?? [];
  return (
    <select
      {...props.attributes}
      className="jp-BottegaInput"
      value={chosen}
      onChange={event => onChange(event.target.value || undefined)}
    >
      {defaultOf(parameter) === undefined && (
        <option value="">
          {parameter.Required ? trans.__('Choose') : trans.__('None')}
        </option>
      )}
      {chosen !== '' && !choices.includes(chosen) && (
        <option value={chosen}>{chosen}</option>
      )}
      {choices.map(choice => (
        <option key={choice} value={choice}>
          {choice}
        </option>
      ))}
    </select>
  );
}

function TextField(props: IControlProps): JSX.Element {
  const { parameter, values, trans, onChange } = props;
  const isNumber = parameter.Kind === 'integer' || parameter.Kind === 'number';
  const isText = parameter.Kind === 'text' || parameter.Kind === 'value';
  const preset = cellText(defaultOf(parameter));
  return (
    <input
      {...props.attributes}
      className="jp-BottegaInput"
      inputMode={isNumber ? 'decimal' : 'text'}
      value={cellText(values[parameter.Name]) ?? ''}
      placeholder={preset ? trans.__('default: %1', preset) : undefined}
      spellCheck={false}
      autoComplete="off"
      onChange={({ target }) =>
        // An emptied text is the empty text where one may be wanted, else it is not given.
        onChange(
          target.value === '' &&
            !(isText && (parameter.Required || preset !== null))
            ? undefined
            : target.value
        )
      }
    />
  );
}

function CodeField(props: IControlProps): JSX.Element {
  const { parameter, trans, onChange } = props;
  const columns = useRef(props.columns);
  columns.current = props.columns;
  const complete = useMemo(() => formulaCompletions(() => columns.current), []);
  const isFormula = parameter.Kind === 'formula';
  return (
    <CodeEditor
      value={cellText(effective(parameter, props.values)) ?? ''}
      language={
        isFormula ? 'formula' : parameter.Language === 'sql' ? 'sql' : 'python'
      }
      label={parameter.Label}
      describedBy={props.attributes['aria-describedby']}
      singleLine={isFormula}
      trans={trans}
      onChange={text => onChange(text === '' ? undefined : text)}
      {...(isFormula ? { complete } : {})}
    />
  );
}
