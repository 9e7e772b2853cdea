import type { Dialog } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';

/** What the form asks for. */
export interface IRegistration {
  /** The registered model's name. */
  name: string;
  /** Which of the run's models; empty where it has none or one. */
  model: string;
}

/** The body of the dialog that registers a model. */
export class RegisterForm
  extends ReactWidget
  implements Dialog.IBodyWidget<IRegistration>
{
  constructor(
    private readonly _options: {
      suggestion: string;
      models: readonly string[];
      trans: TranslationBundle;
    }
  ) {
    super();
    this.addClass('jp-BottegaRegister');
    this._value = {
      name: _options.suggestion,
      model: _options.models[0] ?? ''
    };
  }

  getValue(): IRegistration {
    return { ...this._value, name: this._value.name.trim() };
  }

  protected render(): JSX.Element {
    const { models, trans } = this._options;
    return (
      <>
        <label>
          {trans.__('Name of the model')}
          <input
            type="text"
            className="jp-mod-styled"
            defaultValue={this._value.name}
            spellCheck={false}
            onChange={event => {
              this._value = { ...this._value, name: event.target.value };
            }}
          />
        </label>
        {models.length > 1 && (
          <label>
            {trans.__('Which of its models')}
            <select
              className="jp-mod-styled"
              defaultValue={this._value.model}
              onChange={event => {
                this._value = { ...this._value, model: event.target.value };
              }}
            >
              {models.map(model => (
                <option key={model}>{model}</option>
              ))}
            </select>
          </label>
        )}
        {models.length === 0 && (
          <p>
            {trans.__(
              'The run has logged no model that the tracking store knows of; registering it will be refused.'
            )}
          </p>
        )}
        <p>
          {trans.__(
            'The model becomes the next version under this name; a new name begins with version 1.'
          )}
        </p>
      </>
    );
  }

  private _value: IRegistration;
}
