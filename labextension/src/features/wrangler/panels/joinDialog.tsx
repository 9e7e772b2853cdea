import { useMemo, useState } from 'react';

import type { IFlowColumn, IFlowEdit } from '../../../api/types/wrangler';
import { Button } from '../../../shared/components/controls';
import type { IDialogProps, IWranglerModel } from '../model/types';
import { CombineDialog } from './combineDialog';
import { FormField } from './form/field';
import type { IKeyPair } from './joinSuggestions';
import { areComparable, suggestKeys } from './joinSuggestions';
import type { ITableOption } from './tableChoice';
import { otherTables } from './tableChoice';

const ONE_KEY = 'sagemaker.spark.join_tables_0.1';
const SEVERAL_KEYS = 'sagemaker.spark.join_multi_keys_0.1';

/** Puts another table of the flow beside this one, row to row with the same keys. */
export function JoinDialog(props: IDialogProps<'join'>): JSX.Element {
  const { model, request, trans } = props;
  const { left } = request;
  const options = useMemo(() => otherTables(model, left), [model, left]);
  const [right, setRight] = useState<ITableOption | null>(
    options.length === 1 ? (options[0] ?? null) : null
  );
  const [kind, setKind] = useState('inner');
  // Null: as suggested for these two tables.
  const [chosen, setChosen] = useState<readonly IKeyPair[] | null>(null);
  const leftColumns = columnsOf(model, left.nodeId);
  const rightColumns = right ? columnsOf(model, right.nodeId) : [];
  const keys = chosen ?? suggestKeys(leftColumns, rightColumns);
  const whole = keys.filter(pair => pair.left && pair.right);
  const edit =
    right && (kind === 'cross' || whole.length > 0)
      ? joinEdit({ left, right, kind, keys: whole })
      : null;
  const kinds: Array<[string, string]> = [
    ['inner', trans.__('Inner: rows with a partner')],
    ['leftouter', trans.__('Left outer: all rows of the left table')],
    ['rightouter', trans.__('Right outer: all rows of the right table')],
    ['fullouter', trans.__('Full outer: all rows of both')],
    ['leftsemi', trans.__('Left semi: left rows that have a partner')],
    ['leftanti', trans.__('Left anti: left rows that have none')],
    ['cross', trans.__('Cross: each row with each')]
  ];
  return (
    <CombineDialog
      panel={props}
      name={trans.__('Join')}
      first={left}
      firstLabel={trans.__('Left table:')}
      options={options}
      other={right}
      otherLabel={trans.__('Right table')}
      onOther={table => {
        setRight(table);
        setChosen(null);
      }}
      edit={edit}
      wrong={trans.__('The tables cannot be joined like this.')}
    >
      <FormField name="join_type" label={trans.__('Join type')}>
        {attributes => (
          <select
            {...attributes}
            className="jp-BottegaInput"
            value={kind}
            onChange={event => setKind(event.target.value)}
          >
            {kinds.map(([value, label]) => (
              <option key={value} value={value}>
                {label}
              </option>
            ))}
          </select>
        )}
      </FormField>
      {right && kind !== 'cross' && (
        <Keys
          {...props}
          left={leftColumns}
          right={rightColumns}
          keys={keys}
          onChange={setChosen}
        />
      )}
    </CombineDialog>
  );
}

function Keys(
  props: Pick<IDialogProps<'join'>, 'trans'> & {
    left: readonly IFlowColumn[];
    right: readonly IFlowColumn[];
    keys: readonly IKeyPair[];
    onChange: (keys: readonly IKeyPair[]) => void;
  }
): JSX.Element {
  const { left, right, trans, onChange } = props;
  const keys = props.keys.length > 0 ? props.keys : [{ left: '', right: '' }];
  const change = (at: number, part: Partial<IKeyPair>): void =>
    onChange(
      keys.map((pair, index) => (index === at ? { ...pair, ...part } : pair))
    );
  return (
    <div
      role="group"
      aria-label={trans.__('Keys')}
      className="jp-BottegaJoin-keys"
    >
      <span className="jp-BottegaPanel-label">{trans.__('Keys')}</span>
      {keys.map((pair, index) => (
        <span key={index} className="jp-BottegaJoin-pair">
          <ColumnSelect
            label={trans.__('Key %1 of the left table', index + 1)}
            columns={left}
            value={pair.left}
            {...props}
            onChange={name => change(index, { left: name })}
          />
          <span aria-hidden="true">=</span>
          <ColumnSelect
            label={trans.__('Key %1 of the right table', index + 1)}
            columns={right}
            against={left.find(column => column.Name === pair.left)}
            value={pair.right}
            {...props}
            onChange={name => change(index, { right: name })}
          />
          <Button
            label={trans.__('Remove key %1', index + 1)}
            disabled={keys.length === 1}
            onClick={() => onChange(keys.filter((_, at) => at !== index))}
          >
            {trans.__('Remove')}
          </Button>
        </span>
      ))}
      <Button onClick={() => onChange([...keys, { left: '', right: '' }])}>
        {trans.__('Add a key')}
      </Button>
    </div>
  );
}

function ColumnSelect(
  props: Pick<IDialogProps<'join'>, 'trans'> & {
    label: string;
    columns: readonly IFlowColumn[];
    /** The column whose values must be comparable with these. */
    against?: IFlowColumn | undefined;
    value: string;
    onChange: (name: string) => void;
  }
): JSX.Element {
  const { against, trans } = props;
  return (
    <select
      className="jp-BottegaInput"
      aria-label={props.label}
      value={props.value}
      onChange={event => props.onChange(event.target.value)}
    >
      <option value="">{trans.__('Choose a column')}</option>
      {props.columns.map(column => {
        const isUnfit =
          against !== undefined && !areComparable(column, against);
        return (
          <option key={column.Name} value={column.Name} disabled={isUnfit}>
            {column.Name} · {column.Type}
            {isUnfit && ` (${trans.__('is no %1', against.Type)})`}
          </option>
        );
      })}
    </select>
  );
}

/** The edit that joins two tables: SageMaker has an operator of its own for several keys. */
export function joinEdit(join: {
  left: { nodeId: string; outputName: string };
  right: { nodeId: string; outputName: string };
  kind: string;
  keys: readonly IKeyPair[];
}): IFlowEdit {
  const { left, right, kind, keys } = join;
  const [only] = keys;
  const place: Pick<
    IFlowEdit,
    'NodeId' | 'OutputName' | 'OtherNodeId' | 'OtherOutputName'
  > = {
    NodeId: left.nodeId,
    OutputName: left.outputName,
    OtherNodeId: right.nodeId,
    OtherOutputName: right.outputName
  };
  if (kind === 'cross' || keys.length === 1) {
    return {
      Kind: 'join',
      ...place,
      Operator: ONE_KEY,
      Values: {
        join_type: kind,
        ...(kind !== 'cross' && only
          ? { left_column: only.left, right_column: only.right }
          : {})
      }
    };
  }
  return {
    Kind: 'join',
    ...place,
    Operator: SEVERAL_KEYS,
    Values: { join_type: kind, join_keys: keys.map(pair => ({ ...pair })) }
  };
}

function columnsOf(
  model: IWranglerModel,
  nodeId: string
): readonly IFlowColumn[] {
  return model.node(nodeId)?.State?.Columns ?? [];
}
