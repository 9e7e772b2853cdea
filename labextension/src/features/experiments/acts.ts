import {
  Dialog,
  Notification,
  showDialog,
  showErrorMessage
} from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';

import type { IRunOverview } from '../../api/types/experiments';
import type { IBottega, IBottegaClient } from '../../tokens';
import { RegisterForm } from './registerForm';

/** What acts on a run need. */
export interface IActs {
  client: Pick<IBottegaClient, 'call'>;
  studio: Pick<IBottega, 'execute'>;
  trans: TranslationBundle;
}

/** A name for a model, out of the name of an experiment. */
export function suggestedName(experiment: string): string {
  return experiment.replace(/[^A-Za-z0-9_.-]+/g, '-').replace(/^-+|-+$/g, '');
}

/** Ask for a name and register the model of a run under it; tells which version it became. */
export async function registerRun(
  acts: IActs,
  run: IRunOverview,
  suggestion: string
): Promise<void> {
  const { client, trans } = acts;
  const failed = trans.__('The model of %1 cannot be registered', run.RunName);
  try {
    const { LoggedModels: models } = await client.call('bottega:DescribeRun', {
      RunId: run.RunId
    });
    const { button, value } = await showDialog({
      title: trans.__('Register the model of %1', run.RunName),
      body: new RegisterForm({ suggestion, models, trans }),
      focusNodeSelector: 'input',
      buttons: [
        Dialog.cancelButton({ label: trans.__('Cancel') }),
        Dialog.okButton({ label: trans.__('Register') })
      ]
    });
    if (!button.accept || !value) {
      return;
    }
    const answer = await client.call('bottega:RegisterRunModel', {
      RunId: run.RunId,
      ModelName: value.name,
      ...(models.length > 1 ? { ArtifactPath: value.model } : {})
    });
    Notification.success(
      trans.__(
        '%1 is now version %2 of the model %3.',
        run.RunName,
        answer.Version,
        answer.ModelName
      ),
      { autoClose: false }
    );
  } catch (error) {
    await showErrorMessage(failed, error as Error);
  }
}

/** Deploy the model of a run, as the command asks for the rest. */
export async function deployRun(acts: IActs, run: IRunOverview): Promise<void> {
  try {
    await acts.studio.execute('bottega:deploy', { run: run.RunId });
  } catch (error) {
    await showErrorMessage(
      acts.trans.__('%1 cannot be deployed', run.RunName),
      error as Error
    );
  }
}
