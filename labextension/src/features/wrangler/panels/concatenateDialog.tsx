import { useMemo, useState } from 'react';

import type { IFlowEdit } from '../../../api/types/wrangler';
import { Skeleton } from '../../../shared/components/states';
import type { IDialogProps } from '../model/types';
import { CombineDialog } from './combineDialog';
import { ParameterFields } from './form/parameterForm';
import { firstProblem, toSend } from './form/values';
import type { Values } from './json';
import type { ITableOption } from './tableChoice';
import { otherTables } from './tableChoice';
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
  return (
    <CombineDialog
      panel={props}
      name={trans.__('Concatenate')}
      first={first}
      firstLabel={trans.__('First table:')}
      options={options}
      other={second}
      otherLabel={trans.__('Table to put below')}
      onOther={setSecond}
      edit={edit}
      wrong={trans.__('The tables cannot be concatenated like this.')}
    >
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
    </CombineDialog>
  );
}
