import type { IRuleReport } from '../../../api/types/debugger';
import type { IStudioEvent } from '../../../api/types/studio';
import type { IDescribeTrainingJobResponse } from '../../../api/types/training';

/** How often what has no events of its own is read while the job runs, in milliseconds. */
export const POLL_MS = 2000;

/** How many rules of a job have found something. */
export function rulesThatFired(job: IDescribeTrainingJobResponse): number {
  return [
    ...(job.DebugRuleEvaluationStatuses ?? []),
    ...(job.ProfilerRuleEvaluationStatuses ?? [])
  ].filter(rule => rule.RuleEvaluationStatus === 'IssuesFound').length;
}

/** Whether anything was asked of the Debugger: a rule, or tensors of a collection. */
export function asksForDebugger(job: IDescribeTrainingJobResponse): boolean {
  return (
    (job.DebugRuleConfigurations ?? []).length > 0 ||
    (job.ProfilerRuleConfigurations ?? []).length > 0 ||
    (job.DebugHookConfig?.CollectionConfigurations ?? []).length > 0
  );
}

/** The events after which a job's Debugger may say something else. */
export function concernsJob(name: string): (event: IStudioEvent) => boolean {
  return event => event.Kind === 'TrainingJob' && event.Name === name;
}

/** A page that a rule has written about a job. */
export interface IReport {
  /** The rule's name and the page's, which tell it from the others of the job. */
  id: string;
  /** The rule's name in the request. */
  rule: string;
  uri: string;
}

/** The pages among what the rules of a job have written. */
export function reportsOf(rules: readonly IRuleReport[]): IReport[] {
  return rules.flatMap(rule =>
    rule.Reports.filter(file => file.Name.endsWith('.html')).map(file => ({
      id: `${rule.RuleConfigurationName}/${file.Name}`,
      rule: rule.RuleConfigurationName,
      uri: file.S3Uri
    }))
  );
}

/** The path of the screen that shows a job's reports. */
export function reportPath(job: string, report: string): string {
  return `job-reports/${encodeURIComponent(job)}?report=${encodeURIComponent(report)}`;
}

/**
 * A report as it may be shown: its own styles and pictures, and nothing from elsewhere.
 *
 * The frame it is shown in runs no scripts; this keeps it from loading anything, too.
 */
export function confined(html: string): string {
  const policy =
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:";
  // Where the report says nothing of its ground, it must not be the screen's.
  const ground = 'html { background: Canvas; color: CanvasText }';
  return `<meta http-equiv="Content-Security-Policy" content="${policy}"><style>${ground}</style>${html}`;
}
