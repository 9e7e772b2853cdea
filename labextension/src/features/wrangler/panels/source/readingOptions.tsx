import type { TranslationBundle } from '@jupyterlab/translation';

import type {
  FlowColumnType,
  IDetectSourceResponse
} from '../../../../api/types/wrangler';
import { DataTable } from '../dataTable';
import { FormField } from '../form/field';
import { numberOf } from '../form/values';
import type { Values } from '../json';
import { cellText } from '../json';
import { withOption } from './sourceDraft';

const FORMATS = ['csv', 'tsv', 'json', 'jsonl', 'parquet', 'xlsx'];
const ENCODINGS = ['utf-8', 'utf-16', 'latin-1', 'cp1252'];
const TYPES: readonly FlowColumnType[] = [
  'long',
  'float',
  'boolean',
  'string',
  'date',
  'datetime'
];

interface IReadingProps {
  detected: IDetectSourceResponse;
  /** What the user said. */
  options: Values;
  trans: TranslationBundle;
  onChange: (options: Values) => void;
}

/** How the source is read: what was detected, each of it to be changed, and the first rows. */
export function Reading(props: IReadingProps): JSX.Element {
  const { detected, options, trans, onChange } = props;
  const given = options['Types'];
  const types =
    typeof given === 'object' && given !== null ? (given as Values) : {};
  const setType = (column: string, type: FlowColumnType): void =>
    onChange(withOption(options, 'Types', { ...types, [column]: type }));
  return (
    <>
      <div className="jp-BottegaReading">
        <Options {...props} />
      </div>
      {detected.Findings.length > 0 && (
        <ul className="jp-BottegaPanel-note" aria-label={trans.__('Findings')}>
          {detected.Findings.map(finding => (
            <li key={finding}>{finding}</li>
          ))}
        </ul>
      )}
      <DataTable
        label={trans.__('First rows')}
        heads={detected.Columns.map(column => (
          <span key={column.Name} className="jp-BottegaReading-head">
            <span>{column.Name}</span>
            <select
              className="jp-BottegaInput"
              aria-label={trans.__('Type of %1', column.Name)}
              value={cellText(types[column.Name]) ?? column.Type}
              onChange={event =>
                setType(column.Name, event.target.value as FlowColumnType)
              }
            >
              {(TYPES.includes(column.Type)
                ? TYPES
                : [column.Type, ...TYPES]
              ).map(type => (
                <option key={type} value={type}>
                  {type}
                </option>
              ))}
            </select>
          </span>
        ))}
        rows={detected.Rows}
        trans={trans}
      />
    </>
  );
}

function Options(props: IReadingProps): JSX.Element {
  const { detected, options, trans, onChange } = props;
  const found: Values = { ...detected.Options, ...options };
  const set = (name: string, value: unknown): void =>
    onChange(withOption(options, name, value));
  const isText = detected.Format === 'csv' || detected.Format === 'tsv';
  const has = (name: string): boolean => name in found || isText;
  return (
    <>
      {detected.Format !== 'sql' && (
        <Choice
          name="ContentType"
          label={trans.__('Format')}
          value={detected.Format}
          choices={choicesOf(detected, 'ContentType', FORMATS)}
          trans={trans}
          // What was said of one format means nothing in another.
          onChange={value => onChange({ ContentType: value })}
        />
      )}
      {has('Encoding') && (
        <Choice
          name="Encoding"
          label={trans.__('Encoding')}
          value={cellText(found['Encoding']) ?? ''}
          choices={choicesOf(detected, 'Encoding', ENCODINGS)}
          trans={trans}
          onChange={value => set('Encoding', value)}
        />
      )}
      {has('Delimiter') && (
        <Choice
          name="Delimiter"
          label={trans.__('Delimiter')}
          value={cellText(found['Delimiter']) ?? ''}
          choices={choicesOf(detected, 'Delimiter', [',', ';', '\t', '|', ' '])}
          trans={trans}
          onChange={value => set('Delimiter', value)}
        />
      )}
      {'Sheet' in found && (
        <Choice
          name="Sheet"
          label={trans.__('Sheet')}
          value={cellText(found['Sheet']) ?? ''}
          choices={choicesOf(detected, 'Sheet', [])}
          trans={trans}
          onChange={value =>
            onChange(
              withOption(
                withOption(options, 'Types', undefined),
                'Sheet',
                value
              )
            )
          }
        />
      )}
      {has('HasHeader') && (
        <FormField name="HasHeader" label={trans.__('Header row')}>
          {attributes => (
            <input
              {...attributes}
              type="checkbox"
              checked={found['HasHeader'] !== false}
              onChange={event =>
                onChange(
                  // Other names: the types that were said are of columns that are no longer there.
                  withOption(
                    withOption(options, 'Types', undefined),
                    'HasHeader',
                    event.target.checked
                  )
                )
              }
            />
          )}
        </FormField>
      )}
      {has('SkipLines') && (
        <FormField name="SkipLines" label={trans.__('Lines to skip')}>
          {attributes => (
            <input
              {...attributes}
              className="jp-BottegaInput"
              inputMode="numeric"
              type="number"
              min={0}
              value={cellText(found['SkipLines']) ?? '0'}
              onChange={event => {
                const lines = numberOf(event.target.value);
                set(
                  'SkipLines',
                  lines !== null && lines >= 0 ? Math.floor(lines) : undefined
                );
              }}
            />
          )}
        </FormField>
      )}
    </>
  );
}

function Choice(props: {
  name: string;
  label: string;
  value: string;
  choices: readonly string[];
  trans: TranslationBundle;
  onChange: (value: string) => void;
}): JSX.Element {
  const { value, choices, trans } = props;
  const named: Record<string, string> = {
    ',': trans.__('comma ,'),
    ';': trans.__('semicolon ;'),
    '\t': trans.__('tab'),
    '|': trans.__('bar |'),
    ' ': trans.__('blank')
  };
  const all = choices.includes(value) ? choices : [value, ...choices];
  return (
    <FormField name={props.name} label={props.label}>
      {attributes => (
        <select
          {...attributes}
          className="jp-BottegaInput"
          value={value}
          onChange={event => props.onChange(event.target.value)}
        >
          {all.map(choice => (
            <option key={choice} value={choice}>
              {named[choice] ?? choice}
            </option>
          ))}
        </select>
      )}
    </FormField>
  );
}

function choicesOf(
  detected: IDetectSourceResponse,
  name: string,
  usual: readonly string[]
): readonly string[] {
  const choices = detected.Choices[name];
  return Array.isArray(choices) ? choices.map(String) : usual;
}
