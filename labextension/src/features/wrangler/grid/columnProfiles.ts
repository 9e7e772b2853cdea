import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';

import type { IFlowColumnProfile } from '../../../api/types/wrangler';
import type { IBottegaClient } from '../../../tokens';
import { asError } from '../../../shared/asError';
import type { IShownTable } from '../model/types';

/** Scrolling that stops shorter than this asks for nothing. */
const RESTING_MS = 200;

/** What is known of a column. */
interface IKnown {
  profile: IFlowColumnProfile;
  rows: number;
  /** Of which table and scope it was; another one is to be asked for again. */
  of: string;
}

/**
 * What the columns in sight hold; the others are asked for when they come into sight.
 *
 * What was known of a column's former state is shown until there is news.
 */
export class ColumnProfiles {
  constructor(private readonly _client: Pick<IBottegaClient, 'call'>) {}

  /** Emitted when more is known. */
  get changed(): ISignal<ColumnProfiles, void> {
    return this._changed;
  }

  /** Why the last question has no answer. */
  get problem(): Error | null {
    return this._problem;
  }

  /** What is known of a column; null while nothing is. */
  get(column: string): { profile: IFlowColumnProfile; rows: number } | null {
    return this._known.get(column) ?? null;
  }

  /**
   * The table whose columns are asked about.
   *
   * @param whole whether the whole data has been read: only then all of it is profiled.
   */
  setTable(table: IShownTable | null, whole: boolean): void {
    const of = table
      ? JSON.stringify([table.Flow, table.NodeId, table.OutputName, whole])
      : '';
    if (of === this._of) {
      return;
    }
    this._of = of;
    this._table = table;
    this._whole = whole;
    this._problem = null;
    this._asked.clear();
    this._abort?.abort();
    this._abort = null;
    this.want(this._wanted);
  }

  /** Say which columns are in sight. */
  want(columns: readonly string[]): void {
    this._wanted = columns;
    clearTimeout(this._resting);
    this._resting = setTimeout(() => void this._ask(), RESTING_MS);
  }

  /** Ask again what could not be answered. */
  retry(): void {
    if (this._problem) {
      this._problem = null;
      this._asked.clear();
      this._changed.emit();
      this.want(this._wanted);
    }
  }

  dispose(): void {
    clearTimeout(this._resting);
    this._abort?.abort();
    this._table = null;
    Signal.clearData(this);
  }

  private async _ask(): Promise<void> {
    const table = this._table;
    const columns = this._wanted.filter(
      name => this._known.get(name)?.of !== this._of && !this._asked.has(name)
    );
    if (!table || columns.length === 0 || this._abort || this._problem) {
      return;
    }
    const of = this._of;
    for (const name of columns) {
      this._asked.add(name);
    }
    const abort = (this._abort = new AbortController());
    try {
      const answer = await this._client.call(
        'bottega:ProfileFlow',
        {
          Flow: table.Flow,
          Folder: table.Folder,
          Trusted: table.Trusted,
          NodeId: table.NodeId,
          OutputName: table.OutputName,
          Columns: columns,
          ...(this._whole && { Whole: true })
        },
        abort.signal
      );
      if (abort.signal.aborted) {
        return;
      }
      for (const profile of answer.Profiles) {
        this._known.set(profile.Name, { profile, rows: answer.Rows, of });
      }
    } catch (error) {
      if (abort.signal.aborted) {
        return;
      }
      this._problem = asError(error);
    }
    this._abort = null;
    this._changed.emit();
    if (!this._problem) {
      this.want(this._wanted);
    }
  }

  private _abort: AbortController | null = null;
  /** Asked for already: a column that the answer leaves out is not asked for for ever. */
  private readonly _asked = new Set<string>();
  private _changed = new Signal<ColumnProfiles, void>(this);
  private _known = new Map<string, IKnown>();
  private _of = '';
  private _problem: Error | null = null;
  private _resting: ReturnType<typeof setTimeout> | undefined;
  private _table: IShownTable | null = null;
  private _wanted: readonly string[] = [];
  private _whole = false;
}
