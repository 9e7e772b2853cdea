import { useMemo } from 'react';

import type {
  IGetTensorCoursesResponse,
  ITensorCourse,
  TensorStatistic
} from '../../../api/types/debugger';
import { Plot } from '../../../shared/charts/plot';
import { Stroke } from '../../../shared/charts/stroke';
import { seriesColour, useChartTheme } from '../../../shared/charts/theme';
import { Loadable, Skeleton } from '../../../shared/components/states';
import { measured } from '../../../shared/format';
import { useKept } from '../../../shared/hooks/useKept';
import { useLive } from '../../../shared/hooks/useLive';
import { isRunning } from '../facts';
import type { IJobViewProps } from '../jobView';
import { POLL_MS } from './facts';

const HEIGHT = 280;
const NOTHING: IGetTensorCoursesResponse = { Courses: [], TensorCount: 0 };

interface ICoursesProps extends IJobViewProps {
  names: readonly string[];
  statistic: TensorStatistic;
  isLogarithmic: boolean;
}

/** How the chosen tensors went over the steps, live while the job runs. */
export function Courses(props: ICoursesProps): JSX.Element {
  const { client, job, names, statistic, trans } = props;
  const running = isRunning(job.TrainingJobStatus);
  const read = useLive(
    props,
    signal =>
      names.length === 0
        ? Promise.resolve(NOTHING)
        : client.call(
            'bottega:GetTensorCourses',
            {
              TrainingJobName: job.TrainingJobName,
              TensorNames: [...names],
              Statistic: statistic,
              MaxTensors: names.length
            },
            signal
          ),
    [job.TrainingJobName, names.join('\n'), statistic, running],
    { every: running ? POLL_MS : null }
  );
  // While another choice is read the chart stays as it is.
  const live = useKept(read);
  return (
    <div className="jp-BottegaTensors-courses">
      <Loadable
        live={live}
        trans={trans}
        what={trans.__('The tensors cannot be read.')}
      >
        {found =>
          names.length === 0 ? (
            <p className="jp-BottegaHeader-facts">
              {trans.__('Choose tensors to see their courses.')}
            </p>
          ) : found === NOTHING ? (
            // The first choice is still being read, and no chart is there to stay.
            <Skeleton trans={trans} />
          ) : (
            <Chart {...props} courses={found.Courses} />
          )
        }
      </Loadable>
    </div>
  );
}

function Chart(
  props: ICoursesProps & { courses: readonly ITensorCourse[] }
): JSX.Element {
  const { courses, isLogarithmic, statistic, trans } = props;
  const theme = useChartTheme();
  const tensors = useMemo(
    () => [...new Set(courses.map(course => course.TensorName))],
    [courses]
  );
  const data = useMemo(
    () =>
      courses.map(course => ({
        type: 'scatter',
        mode: course.Steps.length === 1 ? 'markers' : 'lines',
        x: course.Steps,
        y: course.Values.map(Number),
        name: labelOf(course, courses),
        line: {
          color: seriesColour(theme, tensors.indexOf(course.TensorName)),
          width: 1.5,
          dash: course.Mode === 'EVAL' ? 'dash' : 'solid'
        }
      })),
    [courses, tensors, theme]
  );
  const layout = useMemo(
    () => ({
      xaxis: { title: { text: trans.__('step'), standoff: 4 } },
      yaxis: { type: isLogarithmic ? 'log' : 'linear' }
    }),
    [isLogarithmic, trans]
  );
  const omitted = courses.reduce((sum, item) => sum + (item.Omitted ?? 0), 0);
  return (
    <>
      <ul className="jp-BottegaTensors-legend" aria-label={trans.__('Drawn')}>
        {courses.map(course => (
          <li key={`${course.TensorName} ${course.Mode}`}>
            <Stroke
              colour={seriesColour(theme, tensors.indexOf(course.TensorName))}
              isDashed={course.Mode === 'EVAL'}
            />
            {labelOf(course, courses)} {lastOf(course)}
          </li>
        ))}
      </ul>
      <Plot
        data={data}
        layout={layout}
        height={HEIGHT}
        label={trans.__(
          'Courses of tensors, %1 of each over the steps. %2',
          statistic,
          courses
            .map(course => `${labelOf(course, courses)}: ${lastOf(course)}`)
            .join('; ')
        )}
        trans={trans}
      />
      {omitted > 0 && (
        <p className="jp-BottegaHeader-facts">
          {trans.__(
            'Of %1 saved values %2 cannot be told: the hook saved other reductions, or the tensor is too large.',
            omitted,
            statistic
          )}
        </p>
      )}
    </>
  );
}

/** A tensor's name; with the mode where it was saved in several. */
function labelOf(
  course: ITensorCourse,
  courses: readonly ITensorCourse[]
): string {
  const isTwice = courses.some(
    other =>
      other.TensorName === course.TensorName && other.Mode !== course.Mode
  );
  return isTwice ? `${course.TensorName} ${course.Mode}` : course.TensorName;
}

function lastOf(course: ITensorCourse): string {
  const last = course.Values[course.Values.length - 1];
  return last === undefined ? '' : measured(Number(last));
}
