import { Dialog, ReactWidget } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { useId, useState } from 'react';

import type { IInstanceTypeDescription } from '../../api/types/training';
import { NameValues } from './nameValues';
import { parameterValue } from './notebookParameters';

/** What the dialog asks for. */
export interface INotebookRun {
  parameters: Record<string, unknown>;
  instanceType: string;
}

/** Asks for the parameters of a notebook that is to run as a job, and for the machine size. */
export class NotebookDialogBody
  extends ReactWidget
  implements Dialog.IBodyWidget<INotebookRun>
{
  constructor(
    private readonly _options: {
      parameters: Readonly<Record<string, string>>;
      instanceTypes: readonly IInstanceTypeDescription[];
      instanceType: string;
      trans: TranslationBundle;
    }
  ) {
    super();
    this.addClass('jp-BottegaWidget');
    this.addClass('jp-BottegaRunNotebook');
    this._parameters = _options.parameters;
    this._instanceType = _options.instanceType;
  }

  getValue(): INotebookRun {
    return {
      parameters: Object.fromEntries(
        Object.entries(this._parameters).map(([name, text]) => [
          name,
          parameterValue(text)
        ])
      ),
      instanceType: this._instanceType
    };
  }

  protected render(): JSX.Element {
    return (
      <Body
        {...this._options}
        onParameters={parameters => {
          this._parameters = parameters;
        }}
        onInstanceType={instanceType => {
          this._instanceType = instanceType;
        }}
      />
    );
  }

  private _instanceType: string;
  private _parameters: Readonly<Record<string, string>>;
}

function Body(props: {
  parameters: Readonly<Record<string, string>>;
  instanceTypes: readonly IInstanceTypeDescription[];
  instanceType: string;
  trans: TranslationBundle;
  onParameters: (parameters: Record<string, string>) => void;
  onInstanceType: (instanceType: string) => void;
}): JSX.Element {
  const { instanceTypes, trans } = props;
  const [type, setType] = useState(props.instanceType);
  const id = useId();
  const chosen = instanceTypes.find(item => item.InstanceType === type);
  return (
    <>
      <p>
        {trans.__(
          'The notebook is saved and runs from top to bottom, beside everything else.'
        )}
      </p>
      <h3>{trans.__('Parameters')}</h3>
      <p className="jp-BottegaTraining-hint">
        {trans.__(
          'They replace those of the cell tagged parameters. Values as in Python; anything else is text.'
        )}
      </p>
      <NameValues
        values={props.parameters}
        noun={trans.__('parameter')}
        trans={trans}
        onChange={props.onParameters}
      />
      <div className="jp-BottegaTraining-field">
        <label htmlFor={id}>{trans.__('Machine size')}</label>
        <select
          id={id}
          className="jp-BottegaInput"
          value={type}
          onChange={event => {
            setType(event.target.value);
            props.onInstanceType(event.target.value);
          }}
        >
          {!chosen && <option value={type}>{type}</option>}
          {instanceTypes.map(item => (
            <option key={item.InstanceType} value={item.InstanceType}>
              {item.InstanceType}
            </option>
          ))}
        </select>
        {chosen && (
          <p className="jp-BottegaTraining-hint">{chosen.Description}</p>
        )}
      </div>
    </>
  );
}

/** Ask how a notebook is to run; null when it is not to. */
export async function askNotebookRun(
  name: string,
  options: ConstructorParameters<typeof NotebookDialogBody>[0]
): Promise<INotebookRun | null> {
  const { trans } = options;
  const dialog = new Dialog<INotebookRun>({
    title: trans.__('Run %1 as a job', name),
    body: new NotebookDialogBody(options),
    buttons: [
      Dialog.cancelButton(),
      Dialog.okButton({ label: trans.__('Run as a job') })
    ]
  });
  const result = await dialog.launch();
  return result.button.accept ? result.value : null;
}
