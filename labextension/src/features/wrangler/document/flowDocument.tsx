import type {
  DocumentRegistry,
  IDocumentWidget
} from '@jupyterlab/docregistry';
import { ABCWidgetFactory, DocumentWidget } from '@jupyterlab/docregistry';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';
import { lazy, Suspense } from 'react';

import { Skeleton } from '../../../shared/components/states';
import { VisibleWidget } from '../../../shared/visibleWidget';
import type { IBottega, IBottegaClient } from '../../../tokens';
import type { ITrustMemory } from '../model/trust';
import { WranglerModel } from '../model/wranglerModel';
import { ContextStore } from './contextStore';

const WranglerView = lazy(() =>
  import('../wranglerView').then(module => ({ default: module.WranglerView }))
);

/** What the documents need of the application. */
export interface IFlowServices {
  client: IBottegaClient;
  studio: IBottega;
  memory: ITrustMemory;
  trans: TranslationBundle;
}

/** The content of a flow's tab. */
export class FlowContent extends VisibleWidget {
  constructor(
    context: DocumentRegistry.CodeContext,
    private readonly _services: IFlowServices
  ) {
    super();
    this.addClass('jp-BottegaScreen');
    this.addClass('jp-BottegaFlowDocument');
    this._store = new ContextStore(context);
    this.model = new WranglerModel(
      _services.client,
      this._store,
      _services.memory
    );
    this.model.changed.connect(this._onChanged, this);
    context.pathChanged.connect(this._onPath, this);
    this._context = context;
  }

  readonly model: WranglerModel;

  /** Emitted with the number of sources when the flow has been read or changed. */
  get sourcesChanged(): ISignal<FlowContent, number> {
    return this._sourcesChanged;
  }

  override dispose(): void {
    if (!this.isDisposed) {
      this._context.pathChanged.disconnect(this._onPath, this);
      this.model.dispose();
      this._store.dispose();
      Signal.clearData(this);
      super.dispose();
    }
  }

  protected render(): JSX.Element {
    const { client, studio, trans } = this._services;
    return (
      <Suspense fallback={<Skeleton trans={trans} rows={10} />}>
        <WranglerView
          model={this.model}
          client={client}
          studio={studio}
          trans={trans}
        />
      </Suspense>
    );
  }

  private _onChanged(): void {
    const { model } = this;
    if (model.isReady && !model.problem && model.text !== this._text) {
      this._text = model.text;
      this._sourcesChanged.emit(
        model.nodes.filter(node => node.Type === 'SOURCE').length
      );
    }
  }

  private _onPath(): void {
    this.update();
  }

  private readonly _context: DocumentRegistry.CodeContext;
  private _sourcesChanged = new Signal<FlowContent, number>(this);
  private readonly _store: ContextStore;
  private _text: string | null = null;
}

/** A flow's tab. */
export type FlowDocument = IDocumentWidget<
  FlowContent,
  DocumentRegistry.ICodeModel
>;

/** Opens flows. */
export class FlowFactory extends ABCWidgetFactory<
  FlowDocument,
  DocumentRegistry.ICodeModel
> {
  constructor(
    options: DocumentRegistry.IWidgetFactoryOptions<FlowDocument>,
    private readonly _services: IFlowServices
  ) {
    super(options);
  }

  protected createNewWidget(
    context: DocumentRegistry.CodeContext
  ): FlowDocument {
    const content = new FlowContent(context, this._services);
    const widget = new DocumentWidget({ content, context });
    // The screen has a header of its own.
    widget.toolbar.hide();
    // Two copies of one version of the toolbar's types are installed; they are the same class.
    return widget as unknown as FlowDocument;
  }
}
