import type { TranslationBundle } from '@jupyterlab/translation';

import type { ITableRef, IWranglerModel } from '../model/types';
import { FormField } from './form/field';

/** A table of the flow that another one can be put together with. */
export interface ITableOption extends ITableRef {
  label: string;
}

/** The tables of the flow but one, the newest first. */
export function otherTables(
  model: IWranglerModel,
  except: ITableRef
): ITableOption[] {
  return model.nodes
    .filter(node => node.Type === 'SOURCE' || node.Type === 'TRANSFORM')
    .flatMap(node =>
      node.Outputs.map(outputName => ({
        nodeId: node.NodeId,
        outputName,
        label: tableLabel(model, { nodeId: node.NodeId, outputName })
      }))
    )
    .filter(
      table =>
        table.nodeId !== except.nodeId || table.outputName !== except.outputName
    )
    .reverse();
}

/** What a table is called: the node's title, and the output where it has several. */
export function tableLabel(model: IWranglerModel, table: ITableRef): string {
  const node = model.node(table.nodeId);
  const title = node?.State?.Title ?? node?.Operator ?? table.nodeId;
  return node && node.Outputs.length > 1
    ? `${title} · ${table.outputName}`
    : title;
}

/** Chooses a table. */
export function TableChoice(props: {
  label: string;
  options: readonly ITableOption[];
  value: ITableOption | null;
  trans: TranslationBundle;
  onChange: (table: ITableOption | null) => void;
}): JSX.Element {
  const { options, value, trans } = props;
  return (
    <FormField name="table" label={props.label} required>
      {attributes => (
        <select
          {...attributes}
          data-autofocus=""
          className="jp-BottegaInput"
          value={value ? options.indexOf(value) : -1}
          onChange={event =>
            props.onChange(options[Number(event.target.value)] ?? null)
          }
        >
          <option value={-1}>{trans.__('Choose a table')}</option>
          {options.map((option, index) => (
            <option key={`${option.nodeId} ${option.outputName}`} value={index}>
              {option.label}
            </option>
          ))}
        </select>
      )}
    </FormField>
  );
}
