import type { ReactNode } from 'react';
import { useState } from 'react';

import type { IFlowEdit } from '../../../api/types/wrangler';
import type { IPanelProps, ITableRef } from '../model/types';
import { Modal } from './modal';
import type { ITableOption } from './tableChoice';
import { TableChoice, tableLabel } from './tableChoice';
import { TablePreview, useEditPreview } from './tablePreview';

interface ICombineDialogProps {
  panel: Pick<IPanelProps, 'model' | 'client' | 'trans'>;
  /** Title and button. */
  name: string;
  first: ITableRef;
  firstLabel: string;
  options: readonly ITableOption[];
  other: ITableOption | null;
  otherLabel: string;
  onOther: (table: ITableOption | null) => void;
  /** What would be done; null while something is missing. */
  edit: IFlowEdit | null;
  /** What to say above the reason why there is no preview. */
  wrong: string;
  /** The further fields. */
  children: ReactNode;
}

/** Puts two tables of the flow together: the second one is chosen, the result shown beforehand. */
export function CombineDialog(props: ICombineDialogProps): JSX.Element {
  const { edit, name, options } = props;
  const { model, trans } = props.panel;
  const [busy, setBusy] = useState(false);
  const [refusal, setRefusal] = useState<string | null>(null);
  const preview = useEditPreview(props.panel, edit);
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
      title={name}
      trans={trans}
      accept={{
        label: name,
        run: () => void accept(),
        disabled: edit === null || busy
      }}
      onClose={() => model.closeDialog()}
      status={
        refusal && <span className="jp-BottegaPanel-problem">{refusal}</span>
      }
    >
      <p>
        {props.firstLabel} <strong>{tableLabel(model, props.first)}</strong>
      </p>
      {options.length === 0 ? (
        <p className="jp-BottegaPanel-note">
          {trans.__('The flow has no other table. Add a second source first.')}
        </p>
      ) : (
        <TableChoice
          label={props.otherLabel}
          options={options}
          value={props.other}
          trans={trans}
          onChange={props.onOther}
        />
      )}
      {props.children}
      {edit && (
        <TablePreview preview={preview} trans={trans} what={props.wrong} />
      )}
    </Modal>
  );
}
