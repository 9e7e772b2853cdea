import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';

import type {
  IAnalyzeFlowResponse,
  IFlowAnalysis
} from '../../../api/types/wrangler';
import type { IBottegaClient } from '../../../tokens';
import type { IWranglerModel } from '../model/types';
import { issueCount } from './analysisSections';
import type { Values } from './json';

/** Whether an analysis is the Data Quality and Insights report, which has a tab of its own. */
export function isReport(analysis: IFlowAnalysis): boolean {
  return analysis.Operator.includes('data_insights_report');
}

/** A report that was asked for. */
export interface IReport {
  /** The flow's text and the table that it is about. */
  about: string;
  response: IAnalyzeFlowResponse;
  request: {
    NodeId: string;
    OutputName: string;
    Operator: string;
    Values: Record<string, unknown>;
  };
}

/** The last report of a flow. It outlives the tab that shows it, so that its badge stays. */
export class ReportStore {
  get changed(): ISignal<ReportStore, void> {
    return this._changed;
  }

  /** What the form has. */
  values: Values = {};

  get report(): IReport | null {
    return this._report;
  }

  get running(): boolean {
    return this._running !== null;
  }

  get problem(): Error | null {
    return this._problem;
  }

  /** How many issues the last report names; null where there is none. */
  get issues(): number | null {
    return this._report ? issueCount(this._report.response.Sections) : null;
  }

  /** Whether the last report is about what the flow gives now. */
  isCurrent(model: IWranglerModel): boolean {
    return this._report !== null && this._report.about === subject(model);
  }

  /** Make the report of the selected table. */
  async run(
    model: IWranglerModel,
    client: Pick<IBottegaClient, 'call'>,
    operator: string,
    values: Record<string, unknown>
  ): Promise<void> {
    const { selected } = model;
    if (!selected) {
      return;
    }
    const about = subject(model);
    const request = {
      NodeId: selected.nodeId,
      OutputName: selected.outputName,
      Operator: operator,
      Values: values
    };
    this._running?.abort();
    const mine = (this._running = new AbortController());
    this._problem = null;
    this._changed.emit();
    try {
      const response = await client.call(
        'bottega:AnalyzeFlow',
        { ...model.request(), ...request, Html: true },
        mine.signal
      );
      if (this._running === mine) {
        this._report = { about, response, request };
      }
    } catch (error) {
      if (this._running === mine) {
        this._problem =
          error instanceof Error ? error : new Error(String(error));
      }
    }
    if (this._running === mine) {
      this._running = null;
      this._changed.emit();
    }
  }

  /** Stop waiting for the report. */
  cancel(): void {
    this._running?.abort();
    this._running = null;
    this._changed.emit();
  }

  private readonly _changed = new Signal<ReportStore, void>(this);
  private _problem: Error | null = null;
  private _report: IReport | null = null;
  private _running: AbortController | null = null;
}

const stores = new WeakMap<IWranglerModel, ReportStore>();

/** The report of a flow. */
export function reportOf(model: IWranglerModel): ReportStore {
  let store = stores.get(model);
  if (!store) {
    store = new ReportStore();
    stores.set(model, store);
  }
  return store;
}

function subject(model: IWranglerModel): string {
  const { selected, text } = model;
  return JSON.stringify([selected?.nodeId, selected?.outputName, text]);
}
