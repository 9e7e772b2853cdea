import type { INotebookTracker } from '@jupyterlab/notebook';
import type { IRenderMime } from '@jupyterlab/rendermime-interfaces';
import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import type { Message } from '@lumino/messaging';
import { lazy, Suspense } from 'react';

import { Failure, Skeleton } from '../../../shared/components/states';
import type { IBottega, IBottegaClient } from '../../../tokens';
import type { ITrustMemory } from '../model/trust';
import { WranglerModel } from '../model/wranglerModel';
import type { IWranglerBundle } from './bundle';
import { bundleOf } from './bundle';
import { DraftStore } from './draftStore';
import { insertCellBelow, placeOf } from './insertCell';

const OutputView = lazy(() =>
  import('./outputView').then(module => ({ default: module.OutputView }))
);

/** What outputs and tabs of drafts need of the application. */
export interface IDraftServices {
  client: IBottegaClient;
  studio: IBottega;
  memory: ITrustMemory;
  trans: TranslationBundle;
  /** The notebooks; null where JupyterLab has none. */
  tracker: Pick<INotebookTracker, 'find'> | null;
}

/** The id of the screen that shows a draft in a tab. */
export const DRAFT_SCREEN = 'draft-flow';

/** A table that a kernel displayed, as the wrangler. */
export class WranglerOutput
  extends ReactWidget
  implements IRenderMime.IRenderer
{
  constructor(
    private readonly _mimeType: string,
    private readonly _services: IDraftServices
  ) {
    super();
    this.addClass('jp-BottegaWidget');
  }

  renderModel(mime: IRenderMime.IMimeModel): Promise<void> {
    try {
      const bundle = bundleOf(mime.data[this._mimeType]);
      this._problem = null;
      if (bundle.draftId !== this._bundle?.draftId) {
        this._show(bundle);
      }
      this._bundle = bundle;
    } catch (error) {
      this._problem = error instanceof Error ? error : new Error(String(error));
    }
    this.update();
    return Promise.resolve();
  }

  override dispose(): void {
    if (!this.isDisposed) {
      this._end();
      super.dispose();
    }
  }

  protected render(): JSX.Element {
    const { client, studio, trans, tracker } = this._services;
    if (this._problem) {
      return (
        <Failure
          error={this._problem}
          trans={trans}
          what={trans.__('The table cannot be shown.')}
        />
      );
    }
    const { _bundle: bundle, _model: model } = this;
    if (!bundle || !model || !this._wasAttached) {
      return <Skeleton trans={trans} />;
    }
    return (
      <Suspense fallback={<Skeleton trans={trans} />}>
        <OutputView
          key={bundle.draftId}
          bundle={bundle}
          model={model}
          client={client}
          studio={studio}
          trans={trans}
          insert={
            tracker && placeOf(tracker, this.node)
              ? code => {
                  // The cells may have been moved since.
                  const place = placeOf(tracker, this.node);
                  if (!place) {
                    throw new Error(
                      trans.__('The output is in no notebook any more.')
                    );
                  }
                  insertCellBelow(place, code);
                }
              : null
          }
          open={() =>
            studio.open(`${DRAFT_SCREEN}/${encodeURIComponent(bundle.draftId)}`)
          }
        />
      </Suspense>
    );
  }

  protected override onAfterAttach(message: Message): void {
    super.onAfterAttach(message);
    // A grid needs a place on the page; and only now it is known which notebook this is in.
    this._wasAttached = true;
    this.update();
  }

  private _show(bundle: IWranglerBundle): void {
    this._end();
    const { client, memory } = this._services;
    this._store = new DraftStore(client, bundle.draftId, bundle.title);
    this._model = new WranglerModel(client, this._store, memory);
  }

  private _end(): void {
    this._model?.dispose();
    this._store?.dispose();
    this._model = null;
    this._store = null;
  }

  private _bundle: IWranglerBundle | null = null;
  private _model: WranglerModel | null = null;
  private _problem: Error | null = null;
  private _store: DraftStore | null = null;
  private _wasAttached = false;
}
