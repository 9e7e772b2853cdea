import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';

import { BottegaError } from '../../../api/request';
import type {
  ICheckFlowResponse,
  IFlowColumn,
  IFlowEdit,
  IListTransformsResponse
} from '../../../api/types/wrangler';
import type { IBottegaClient } from '../../../tokens';
import { asError } from '../../../shared/asError';
import { FlowCheck } from './flowCheck';
import { givesTable, lastTable, nodesOf } from './flowText';
import type { ISnapshot } from './history';
import { History } from './history';
import { Saver } from './saver';
import { shownTable } from './shownTable';
import { StepDraft } from './stepDraft';
import type { ITrustMemory } from './trust';
import type {
  DialogRequest,
  IDraft,
  IFlowNode,
  IFlowRequest,
  IFlowStore,
  IShownTable,
  ITableRef,
  ITableSize,
  IWranglerModel,
  SaveState,
  TrustState,
  WranglerTab
} from './types';

/** After these edits one goes on looking at what one looked at. */
const KEEPS_SELECTION = new Set(['disable', 'enable', 'rename', 'move']);

/** {@link IWranglerModel} over the operations. */
export class WranglerModel implements IWranglerModel {
  constructor(
    private readonly _client: Pick<IBottegaClient, 'call'>,
    readonly store: IFlowStore,
    memory: ITrustMemory
  ) {
    this._check = new FlowCheck({
      client: _client,
      memory,
      flow: store,
      onChange: () => this._onChecked()
    });
    this._saver = new Saver(text => store.write(text));
    this._saver.changed.connect(() => this._changed.emit());
    store.changed.connect(this._onStoreChanged, this);
    void this._start();
  }

  get changed(): ISignal<IWranglerModel, void> {
    return this._changed;
  }

  get tableChanged(): ISignal<IWranglerModel, IShownTable | null> {
    return this._tableChanged;
  }

  get isReady(): boolean {
    return this._isReady;
  }

  get problem(): Error | null {
    return this._problem;
  }

  get text(): string {
    return this._text;
  }

  get saveState(): SaveState {
    return this._saver.state;
  }

  get canUndo(): boolean {
    return this._history.canUndo;
  }

  get canRedo(): boolean {
    return this._history.canRedo;
  }

  get nodes(): readonly IFlowNode[] {
    return this._nodes;
  }

  get check(): ICheckFlowResponse | null {
    return this._check.answer;
  }

  get checkProblem(): Error | null {
    return this._check.problem;
  }

  get trust(): TrustState {
    return this._check.trust;
  }

  get selected(): ITableRef | null {
    return this._selected;
  }

  get columns(): readonly IFlowColumn[] | null {
    const draft = this.draft;
    const state = draft?.flow
      ? draft.state
      : this._selected && this.node(this._selected.nodeId)?.State;
    return state?.Columns ?? this._shownColumns;
  }

  get inputColumns(): readonly IFlowColumn[] | null {
    const edit = this.draft?.edit;
    const node = edit?.NodeId && this.node(edit.NodeId);
    if (!edit || !node) {
      return null;
    }
    const input = edit.Kind.startsWith('change_')
      ? node.Inputs[0] && this.node(node.Inputs[0].nodeId)
      : node;
    return input?.State?.Columns ?? null;
  }

  get selectedColumn(): string | null {
    return this._selectedColumn;
  }

  get tab(): WranglerTab {
    return this._tab;
  }

  get draft(): IDraft | null {
    return this._draft?.value ?? null;
  }

  get dialog(): DialogRequest | null {
    return this._dialog;
  }

  get size(): ITableSize | null {
    return this._size;
  }

  get compare(): boolean {
    return this._compare;
  }

  get table(): IShownTable | null {
    return shownTable(this);
  }

  request(): IFlowRequest {
    return {
      Flow: this._text,
      Folder: this.store.folder,
      Trusted: this._check.trusted
    };
  }

  node(nodeId: string): IFlowNode | undefined {
    return this._nodes.find(node => node.NodeId === nodeId);
  }

  select(nodeId: string, outputName?: string): void {
    const node = this.node(nodeId);
    if (!node || !givesTable(node)) {
      return;
    }
    this._endDraft();
    this._selected = {
      nodeId,
      outputName: outputName ?? node.Outputs[0] ?? 'default'
    };
    this._tell();
  }

  selectColumn(name: string | null): void {
    if (this._selectedColumn !== name) {
      this._selectedColumn = name;
      this._changed.emit();
    }
  }

  chooseTab(tab: WranglerTab): void {
    this._tab = tab;
    this._changed.emit();
  }

  setCompare(compare: boolean): void {
    this._compare = compare;
    this._tell();
  }

  setShown(size: ITableSize | null, columns?: readonly IFlowColumn[]): void {
    this._size = size;
    this._shownColumns = columns ?? null;
    if (
      columns &&
      this._selectedColumn !== null &&
      !columns.some(column => column.Name === this._selectedColumn)
    ) {
      this._selectedColumn = null;
    }
    this._changed.emit();
  }

  edit(edit: IFlowEdit): Promise<string> {
    return this._enqueue(async () => {
      const answer = await this._client.call('bottega:EditFlow', {
        ...this.request(),
        Edit: edit
      });
      this._accept(answer.Flow, answer.NodeId, edit);
      return answer.NodeId;
    });
  }

  undo(): Promise<void> {
    return this._travel(present => this._history.undo(present));
  }

  redo(): Promise<void> {
    return this._travel(present => this._history.redo(present));
  }

  retrySave(): Promise<void> {
    return this._saver.retry();
  }

  startDraft(edit: IFlowEdit): void {
    this._endDraft();
    const changed =
      edit.Kind.startsWith('change_') && edit.NodeId
        ? this.node(edit.NodeId)
        : undefined;
    if (changed && givesTable(changed)) {
      this._selected = {
        nodeId: changed.NodeId,
        outputName: changed.Outputs[0] ?? 'default'
      };
    }
    const from = edit.Kind.startsWith('change_') ? null : this._selected;
    const whole: IFlowEdit = {
      ...(from && { NodeId: from.nodeId, OutputName: from.outputName }),
      ...edit
    };
    this._draft = new StepDraft(whole, {
      client: this._client,
      request: () => this.request(),
      onChange: () => this._tell()
    });
    this._tab = 'data';
    this._tell();
  }

  changeDraft(values: Record<string, unknown>): void {
    this._draft?.change(values);
  }

  async applyDraft(): Promise<void> {
    const draft = this._draft;
    if (!draft) {
      return;
    }
    const base = this._text;
    const value = await draft.settled();
    if (this._draft !== draft) {
      return;
    }
    const { flow, nodeId, problem, edit } = value;
    if (problem || flow === null || nodeId === null) {
      throw new BottegaError(
        'ValidationException',
        problem?.message ?? '',
        400
      );
    }
    if (this._text !== base) {
      // The flow has changed under the draft: the step is made anew on what there is now.
      await this.edit(edit);
    } else {
      this._accept(flow, nodeId, edit);
    }
    this._endDraft();
    this._tell();
  }

  cancelDraft(): void {
    this._endDraft();
    this._tell();
  }

  requestDialog(request: DialogRequest): void {
    this._dialog = request;
    this._changed.emit();
  }

  closeDialog(): void {
    this._dialog = null;
    this._changed.emit();
  }

  recheck(): Promise<void> {
    return this._check.run(this._text);
  }

  setTrusted(trusted: boolean): Promise<void> {
    return this._check.decide(trusted, this._text);
  }

  transforms(): Promise<IListTransformsResponse> {
    const reading = (this._transforms ??= this._client.call(
      'bottega:ListTransforms',
      {}
    ));
    reading.catch(() => {
      this._transforms = null; // so that it is tried again
    });
    return reading;
  }

  dispose(): void {
    this._isDisposed = true;
    this._endDraft();
    this._check.dispose();
    Signal.clearData(this);
  }

  private async _start(): Promise<void> {
    try {
      this._load(await this.store.read());
    } catch (error) {
      this._problem = asError(error);
    }
    this._isReady = true;
    this._tell();
    if (!this._problem) {
      await this._check.run(this._text);
    }
  }

  /** Take a text that somebody else has written. */
  private _load(text: string): void {
    this._nodes = nodesOf(text, this._check.answer?.Nodes);
    this._text = text;
    this._problem = null;
    this._check.forget();
    this._keepOrFindSelection();
  }

  private _onStoreChanged(_: unknown, text: string): void {
    if (text === this._text || !this._isReady) {
      return;
    }
    const before = this._snapshot();
    this._endDraft();
    try {
      this._load(text);
      this._history.record(before);
    } catch (error) {
      this._problem = asError(error);
    }
    this._tell();
    if (!this._problem) {
      void this._check.run(this._text);
    }
  }

  private _accept(text: string, nodeId: string, edit: IFlowEdit): void {
    this._history.record(this._snapshot());
    this._put(text);
    const node = this.node(nodeId);
    if (node && givesTable(node) && !KEEPS_SELECTION.has(edit.Kind)) {
      this._selected = {
        nodeId,
        outputName: node.Outputs[0] ?? 'default'
      };
    }
    this._keepOrFindSelection();
    this._tell();
    void this._check.run(this._text);
  }

  private _put(text: string): void {
    this._nodes = nodesOf(text, this._check.answer?.Nodes);
    this._text = text;
    void this._saver.save(text);
  }

  private _travel(
    step: (present: ISnapshot) => ISnapshot | null
  ): Promise<void> {
    return this._enqueue(async () => {
      this._endDraft();
      const found = step(this._snapshot());
      if (found) {
        this._put(found.text);
        this._selected = found.selected;
        this._keepOrFindSelection();
        void this._check.run(this._text);
      }
      this._tell();
      return Promise.resolve();
    });
  }

  private _snapshot(): ISnapshot {
    return { text: this._text, selected: this._selected };
  }

  private _keepOrFindSelection(): void {
    const selected = this._selected;
    if (
      !selected ||
      !this.node(selected.nodeId)?.Outputs.includes(selected.outputName)
    ) {
      this._selected = lastTable(this._nodes);
    }
  }

  private _onChecked(): void {
    this._nodes = nodesOf(this._text, this._check.answer?.Nodes);
    this._keepOrFindSelection();
    this._tell();
  }

  private _endDraft(): void {
    this._draft?.dispose();
    this._draft = null;
  }

  private _enqueue<T>(task: () => Promise<T>): Promise<T> {
    const result = this._queue.then(task);
    this._queue = result.then(
      () => undefined,
      () => undefined // whoever asked for it is told
    );
    return result;
  }

  /** Say that something has changed, and whether the table has. */
  private _tell(): void {
    if (this._isDisposed) {
      return;
    }
    const table = this.table;
    const key = JSON.stringify(table, (name, value: unknown) =>
      // A flow without code gives the same table either way.
      name === 'Trusted' && !this._check.hasCode ? undefined : value
    );
    if (key !== this._tableKey) {
      this._tableKey = key;
      this._tableChanged.emit(table);
    }
    this._changed.emit();
  }

  private _changed = new Signal<IWranglerModel, void>(this);
  private readonly _check: FlowCheck;
  private _compare = false;
  private _dialog: DialogRequest | null = null;
  private _draft: StepDraft | null = null;
  private readonly _history = new History();
  private _isDisposed = false;
  private _isReady = false;
  private _nodes: IFlowNode[] = [];
  private _problem: Error | null = null;
  private _queue: Promise<void> = Promise.resolve();
  private readonly _saver: Saver;
  private _selected: ITableRef | null = null;
  private _selectedColumn: string | null = null;
  private _shownColumns: readonly IFlowColumn[] | null = null;
  private _size: ITableSize | null = null;
  private _tab: WranglerTab = 'data';
  private _tableChanged = new Signal<IWranglerModel, IShownTable | null>(this);
  private _tableKey = 'null';
  private _text = '';
  private _transforms: Promise<IListTransformsResponse> | null = null;
}
