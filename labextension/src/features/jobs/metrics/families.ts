import type { IMetricCourse } from '../../../api/types/training';

/** The data that a metric was measured on; the other words are kept as they are. */
export type MetricRole = 'train' | 'validation' | 'test' | '';

/** One curve of a chart. */
export interface IFamilyCurve {
  course: IMetricCourse;
  role: MetricRole;
  /** What distinguishes it in its chart. */
  label: string;
  /** Whether it is the metric that says how good the model is. */
  objective: boolean;
}

/** Metrics that are the same on different data: one chart. */
export interface IMetricFamily {
  name: string;
  curves: IFamilyCurve[];
}

const ROLES: Record<string, MetricRole> = {
  train: 'train',
  training: 'train',
  val: 'validation',
  valid: 'validation',
  validation: 'validation',
  dev: 'validation',
  eval: 'validation',
  test: 'test'
};

const ORDER: MetricRole[] = ['', 'train', 'validation', 'test'];
const WORDS = Object.keys(ROLES).join('|');
const BEFORE = new RegExp(`^(${WORDS})[:_\\-./ ](.+)$`, 'i');
const BEHIND = new RegExp(`^(.+)[:_\\-./ ](${WORDS})$`, 'i');

/** What a metric's name says: `validation:auc` is `auc` of validation data. */
export function metricName(name: string): { family: string; role: MetricRole } {
  const before = BEFORE.exec(name);
  if (before) {
    return { role: roleOf(before[1]), family: before[2] ?? name };
  }
  const behind = BEHIND.exec(name);
  return behind
    ? { role: roleOf(behind[2]), family: behind[1] ?? name }
    : { role: '', family: name };
}

function roleOf(word: string | undefined): MetricRole {
  return ROLES[(word ?? '').toLowerCase()] ?? '';
}

/**
 * Group courses into charts: the family of the objective comes first, then by name.
 *
 * Two courses of one family and role keep their whole names apart.
 */
export function metricFamilies(
  courses: readonly IMetricCourse[],
  objective: string | undefined
): IMetricFamily[] {
  const families = new Map<string, IFamilyCurve[]>();
  for (const course of courses) {
    const { family, role } = metricName(course.Name);
    const curves = families.get(family) ?? [];
    families.set(family, curves);
    curves.push({
      course,
      role,
      label: role || course.Name,
      objective: course.Name === objective
    });
  }
  for (const curves of families.values()) {
    const labels = curves.map(curve => curve.label);
    for (const curve of curves) {
      if (labels.filter(label => label === curve.label).length > 1) {
        curve.label = curve.course.Name;
      }
    }
    curves.sort((a, b) => ORDER.indexOf(a.role) - ORDER.indexOf(b.role));
  }
  const first = objective === undefined ? '' : metricName(objective).family;
  return [...families]
    .map(([name, curves]) => ({ name, curves }))
    .sort((a, b) =>
      a.name === first || b.name === first
        ? Number(b.name === first) - Number(a.name === first)
        : a.name.localeCompare(b.name)
    );
}
