import { useMemo, useState } from 'react';

import type { IFlowEdit } from '../../../api/types/wrangler';
import { Skeleton } from '../../../shared/components/states';
import type { IDialogProps } from '../model/types';
import { ParameterFields } from './form/parameterForm';
import { firstProblem, toSend } from './form/values';
import type { Values } from './json';
import { Modal } from './modal';
import type { ITableOption } from './tableChoice';
import { otherTables, TableChoice, tableLabel } from './tableChoice';
import { TablePreview, useEditPreview } from './tablePreview';
import { useLoaded } from './useLoaded';

const OPERATOR = 'sagemaker.spark.concatenate_0.1';

/** Puts the rows of another table of the flow below those of this one. */
export function ConcatenateDialog(
  props: IDialogProps<'concatenate'>
): JSX.Element {
  const { model, request, trans } = props;
  const { first } = request;
  const options = useMemo(() => otherTables(model, first), [model, first]);
  const catalogue = useLoaded(() => model.transforms(), [model]);
  const [second, setSecond] = useState<ITableOption | null>(
    options.length === 1 ? (options[0] ?? null) : null
  );
  const [values, setValues] = useState<Values>({});
  const [busy, setBusy] = useState(false);
  const [refusal, setRefusal] = useState<string | null>(null);
  const parameters =
    (catalogue.state === 'ready' &&
      catalogue.value.Transforms.find(item => item.Operator === OPERATOR)
        ?.Parameters) ||
    [];
  const problem = firstProblem(parameters, values, trans);
  const edit: IFlowEdit | null =
    second && !problem
      ? {
          Kind: 'concatenate',
          NodeId: first.nodeId,
          OutputName: first.outputName,
          OtherNodeId: second.nodeId,
          OtherOutputName: second.outputName,
          Operator: OPERATOR,
          Values: toSend(parameters, values)
        }
      : null;
  const preview = useEditPreview(props, edit);
  const accept = async (): Promise<void> => {
    if (!edit) {
      return;
    }
    setBusy(true);
    setRefusal(null);
    try {
      await model.edit(edit);
      model.closeDialog();
    } catch (error) {
      setRefusal(error instanceof Error ? error.message : String(error));
      setBusy(false);
    }
  };
  return (
    <Modal
      title={trans.__('Concatenate')}
      trans={trans}
      accept={{
        label: trans.__('Concatenate'),
        run: () => void accept(),
        disabled: edit === null || busy
      }}
      onClose={() => model.closeDialog()}
      status={
        refusal && <span className="jp-BottegaPanel-problem">{refusal}</span>
      }
    >
      <p>
        {trans.__('First table:')} <strong>{tableLabel(model, first)}</strong>
      </p>
      {options.length === 0 ? (
        <p className="jp-BottegaPanel-note">
          {trans.__('The flow has no other table. Add a second source first.')}
        </p>
      ) : (
        <TableChoice
          label={trans.__('Table to put below')}
          options={options}
          value={second}
          trans={trans}
          onChange={setSecond}
        />
      )}
      {catalogue.state === 'loading' && <Skeleton trans={trans} rows={2} />}
      {catalogue.state === 'error' && (
        <p role="alert" className="jp-BottegaPanel-problem">
          {catalogue.error.message}
        </p>
      )}
      <ParameterFields
        parameters={parameters}
        columns={model.node(first.nodeId)?.State?.Columns ?? []}
        values={values}
        problem={problem}
        trans={trans}
        onChange={setValues}
      />
      {edit && (
        <TablePreview
          preview={preview}
          trans={trans}
          what={trans.__('The tables cannot be concatenated like this.')}
        />
      )}
    </Modal>
  );
}
