import type { TranslationBundle } from '@jupyterlab/translation';
import type { ISignal } from '@lumino/signaling';

import type {
  ICheckFlowResponse,
  IFlowChanges,
  IFlowColumn,
  IFlowEdit,
  IFlowNodeState,
  IListTransformsResponse
} from '../../../api/types/wrangler';
import type { IBottega, IBottegaClient } from '../../../tokens';

/** Where a flow is kept: in a file of the file browser, or as the draft of a notebook's table. */
export interface IFlowStore {
  /** What the tab is called: `customers.flow`. */
  readonly title: string;
  /** What the code calls the flow: a Python name. */
  readonly name: string;
  /** Tells one flow from another, for what is remembered of it: the path of the file. */
  readonly key: string;
  /** Where paths of files in the flow begin, on the server's machine. */
  readonly folder: string;
  /** The same as the file browser has it; empty where there is none. */
  readonly directory: string;
  readonly readOnly: boolean;
  /** The text that was read; empty for a new flow. */
  read(): Promise<string>;
  /**
   * Keep the text; what was there before is whole until the new text is.
   *
   * @throws Error when it cannot be kept.
   */
  write(text: string): Promise<void>;
  /** Emitted with the new text when somebody else has changed it. */
  readonly changed: ISignal<unknown, string>;
}

/** A table of the flow: an output of a node. */
export interface ITableRef {
  nodeId: string;
  outputName: string;
}

/** A node as the document has it. */
export interface IFlowNode extends Pick<
  IFlowNodeState,
  'NodeId' | 'Type' | 'Disabled' | 'Outputs'
> {
  Operator: string;
  Inputs: ITableRef[];
  /** What the check found; undefined until it has answered. */
  State: IFlowNodeState | undefined;
}

/** What every request about the flow says. */
export interface IFlowRequest {
  Flow: string;
  Folder: string;
  Trusted: boolean;
}

/** What the grid shows. */
export interface IShownTable extends IFlowRequest {
  NodeId: string;
  OutputName: string;
  /** Whether the table is beside the one that the step takes. */
  Compare: boolean;
}

/** Whether the flow is in its file. */
export type SaveState =
  { state: 'saved' } | { state: 'saving' } | { state: 'failed'; error: Error };

/**
 * A step that is being added or edited, and is not in the flow yet.
 *
 * Its effect is seen in the grid as soon as its values are legal.
 */
export interface IDraft {
  /** What Apply does: an edit of kind add_step or change_step, or any other with Values. */
  readonly edit: IFlowEdit;
  /** Whether an answer about the present values is on its way. */
  readonly pending: boolean;
  /** The flow with the step, of the last values that were accepted. */
  readonly flow: string | null;
  /** The step's node in that flow. */
  readonly nodeId: string | null;
  /** What the check says of the step: summary, columns that come out. */
  readonly state: IFlowNodeState | null;
  /** Why the values are refused, and the parameter at fault where that is known. */
  readonly problem: { message: string; parameter: string | null } | null;
}

/** A dialog that a part of the screen asks for; `wranglerView` shows it. */
export type DialogRequest =
  | {
      kind: 'source';
      /** A source of the flow whose reading is changed; a new one when absent. */
      nodeId?: string;
      /** What the dialog starts with. */
      origin?: 'file' | 's3' | 'sql';
    }
  | { kind: 'join'; left: ITableRef }
  | { kind: 'concatenate'; first: ITableRef };

/** The tabs of the screen. */
export type WranglerTab = 'data' | 'charts' | 'insights' | 'code' | 'export';

/** Whether code that came with the flow may run. */
export type TrustState = 'unneeded' | 'asked' | 'given' | 'refused';

/** What the parts of the screen share: the flow, what is selected, what is being edited. */
export interface IWranglerModel {
  readonly store: IFlowStore;
  /** Emitted when anything below has changed. */
  readonly changed: ISignal<IWranglerModel, void>;
  /** Emitted when `table` has changed, and what it holds may have. */
  readonly tableChanged: ISignal<IWranglerModel, IShownTable | null>;

  /** Whether the flow has been read. */
  readonly isReady: boolean;
  /** Why the flow cannot be read at all. */
  readonly problem: Error | null;
  /** The flow's text as it is now, without the draft. */
  readonly text: string;
  readonly saveState: SaveState;
  readonly canUndo: boolean;
  readonly canRedo: boolean;

  /** The nodes in the order of the document. */
  readonly nodes: readonly IFlowNode[];
  /** What CheckFlow said last; null before its first answer. */
  readonly check: ICheckFlowResponse | null;
  /** Why the flow could not be checked. */
  readonly checkProblem: Error | null;
  readonly trust: TrustState;

  /** The table that is selected; null while the flow has none. */
  readonly selected: ITableRef | null;
  /** The columns of the selected table, the draft's where there is one; null while unknown. */
  readonly columns: readonly IFlowColumn[] | null;
  /** The columns of the table that the draft takes, for its form; null while unknown. */
  readonly inputColumns: readonly IFlowColumn[] | null;
  readonly selectedColumn: string | null;
  readonly tab: WranglerTab;
  readonly draft: IDraft | null;
  readonly dialog: DialogRequest | null;

  /** What the grid shows; null while there is nothing to show. */
  readonly table: IShownTable | null;
  /** Rows, columns and scope of the grid's table, as its last answer had them. */
  readonly size: ITableSize | null;

  /** What a request about the flow says, without the draft. */
  request(): IFlowRequest;
  /** A node by its id. */
  node(nodeId: string): IFlowNode | undefined;
  /** Select a table, and with it the branch of steps. Ends a draft that is not applied. */
  select(nodeId: string, outputName?: string): void;
  selectColumn(name: string | null): void;
  chooseTab(tab: WranglerTab): void;

  /**
   * Change the flow: EditFlow, save, check. Edits happen one after the other.
   *
   * @returns the node that was added or changed.
   * @throws BottegaError when the edit is refused; the flow is then as it was.
   */
  edit(edit: IFlowEdit): Promise<string>;
  undo(): Promise<void>;
  redo(): Promise<void>;
  /** Save again what could not be saved. */
  retrySave(): Promise<void>;

  /**
   * Begin to add or to edit a step.
   *
   * @param edit as for {@link edit}. `NodeId` may be absent of additions: the selected table then.
   */
  startDraft(edit: IFlowEdit): void;
  /** New values of the draft; previewed a moment after the last call. */
  changeDraft(values: Record<string, unknown>): void;
  /** @throws BottegaError when it is refused; the draft is then still there. */
  applyDraft(): Promise<void>;
  cancelDraft(): void;

  /** Show a dialog; closes the one that is open. */
  requestDialog(request: DialogRequest): void;
  closeDialog(): void;

  /** Ask again what the nodes are. */
  recheck(): Promise<void>;

  /** Say whether code that came with the flow may run; the answer is remembered. */
  setTrusted(trusted: boolean): Promise<void>;
  /** Transforms and analyses; read once. */
  transforms(): Promise<IListTransformsResponse>;
  /** Whether the grid shows what the selected step changes. */
  readonly compare: boolean;
  setCompare(compare: boolean): void;
  /** Said by the grid: how large its table is, and its columns. */
  setShown(size: ITableSize | null, columns?: readonly IFlowColumn[]): void;
  dispose(): void;
}

/** How large the grid's table is. */
export interface ITableSize {
  /** Null while it is not known. */
  rows: number | null;
  columns: number;
  /** How many first rows of each source the table comes from; null: from all. */
  sampleRows: number | null;
  /** Whether the whole data is being read. */
  isReading: boolean;
  changes: IFlowChanges | null;
}

/** What every panel is given. */
export interface IPanelProps {
  model: IWranglerModel;
  client: IBottegaClient;
  studio: IBottega;
  trans: TranslationBundle;
}

/** What a dialog is given: it closes itself with `model.closeDialog()`. */
export interface IDialogProps<
  K extends DialogRequest['kind']
> extends IPanelProps {
  request: Extract<DialogRequest, { kind: K }>;
}

/** What the screen is given. */
export interface IWranglerViewProps extends IPanelProps {
  /** In the output of a notebook: grid, steps and palette, without the graph and the tabs. */
  compact?: boolean;
}
