import { InputDialog } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';

import type {
  IDescribeModelPackageOutput,
  RegistryApproval
} from '../../api/types/registry';
import {
  Button,
  CopyButton,
  Facts,
  Tabs
} from '../../shared/components/controls';
import { Empty, Loadable } from '../../shared/components/states';
import { attempt } from '../../shared/forms/formDialog';
import { moment, sessionOf } from '../../shared/format';
import { useLive } from '../../shared/hooks/useLive';
import type { IBottegaClient, IScreenProps } from '../../tokens';
import { DEPLOY_COMMAND } from '../endpoints/commands';
import { Lineage } from './lineage';
import { failedVersionPython, versionPython } from './python';
import { removeVersion } from './removal';
import { approvalName, concernsGroup, isMissing } from './versions';

interface IVersionProps extends IScreenProps {
  group: string;
  version: number;
}

/** One version: whether it may be deployed, what it is made of, and its lineage. */
export function VersionView(props: IVersionProps): JSX.Element {
  const { client, frame, group, trans, version } = props;
  const name = `${group}/${version}`;
  const described = useLive(
    props,
    async signal => {
      const [found, studio] = await Promise.all([
        client.call(
          'sagemaker:DescribeModelPackage',
          { ModelPackageName: name },
          signal
        ),
        client.call('bottega:DescribeStudio', {}, signal)
      ]);
      return { found, role: studio.RoleArn };
    },
    [name],
    { concerns: event => concernsGroup(event, group) }
  );
  const problem =
    described.state === 'error'
      ? described.error
      : described.state === 'ready'
        ? described.problem
        : null;
  if (isMissing(problem)) {
    return (
      <Empty
        sentence={
          described.state === 'ready'
            ? trans.__('Version %1 was deleted.', version)
            : trans.__('There is no version %1.', version)
        }
        action={{
          label: trans.__('Show the newest version'),
          run: () => frame.setParameters({ version: '' })
        }}
      />
    );
  }
  return (
    <section
      className="jp-BottegaModels-version"
      aria-label={trans.__('Version %1', version)}
    >
      <Loadable
        live={described}
        trans={trans}
        what={trans.__('Version %1 cannot be read.', version)}
      >
        {value => (
          <Content {...props} described={value.found} role={value.role} />
        )}
      </Loadable>
    </section>
  );
}

function Content(
  props: IVersionProps & {
    described: IDescribeModelPackageOutput;
    /** The ARN of the role that a model of it would have. */
    role: string;
  }
): JSX.Element {
  const { client, described, frame, parameters, studio, trans } = props;
  const arn = described.ModelPackageArn;
  const name = `${props.group}/${props.version}`;
  const approval = (described.ModelApprovalStatus ??
    'PendingManualApproval') as RegistryApproval;
  const ready = described.ModelPackageStatus === 'Completed';
  const decide = (status: RegistryApproval): void =>
    void decideVersion(client, arn, status, trans);
  const isApproved = approval === 'Approved';
  const code = (): string =>
    described.ModelPackageStatus === 'Failed'
      ? failedVersionPython(arn)
      : versionPython(arn, props.role);
  const remove = async (): Promise<void> => {
    if (await removeVersion(client, { arn, name }, trans)) {
      frame.setParameters({ version: '' });
    }
  };
  return (
    <>
      <header className="jp-BottegaHeader">
        <h2>{trans.__('Version %1', props.version)}</h2>
        <span data-approval={approval} className="jp-BottegaHeader-facts">
          {approvalName(approval, trans)}
          {described.ApprovalDescription
            ? ` · ${described.ApprovalDescription}`
            : ''}
          {described.LastModifiedBy?.IamIdentity?.Arn
            ? ` · ${sessionOf(described.LastModifiedBy.IamIdentity.Arn)}`
            : ''}
        </span>
        <span className="jp-BottegaHeader-actions">
          {!isApproved && (
            <Button disabled={!ready} onClick={() => decide('Approved')}>
              {trans.__('Approve')}
            </Button>
          )}
          {approval !== 'Rejected' && (
            <Button onClick={() => decide('Rejected')}>
              {trans.__('Reject')}
            </Button>
          )}
          <CopyButton
            label={trans.__('Copy as Python')}
            trans={trans}
            text={code}
          />
          <Button
            kind="danger"
            label={trans.__('Delete version %1', props.version)}
            onClick={() => void remove()}
          >
            {trans.__('Delete')}
          </Button>
          <Button
            kind="primary"
            disabled={!ready}
            title={
              !ready
                ? trans.__('Only a version that is valid can be deployed')
                : isApproved
                  ? trans.__('Put this version behind an endpoint')
                  : trans.__(
                      'Approve this version and put it behind an endpoint'
                    )
            }
            onClick={() =>
              void studio.execute(DEPLOY_COMMAND, {
                version: name,
                ...(isApproved ? {} : { approve: true })
              })
            }
          >
            {isApproved ? trans.__('Deploy') : trans.__('Approve and deploy')}
          </Button>
        </span>
      </header>
      <Problems described={described} trans={trans} />
      <Tabs
        label={trans.__('Parts of the version')}
        chosen={parameters['tab'] ?? 'lineage'}
        onChoose={tab => frame.setParameters({ tab })}
        tabs={[
          {
            id: 'lineage',
            label: trans.__('Lineage'),
            render: () => <Lineage {...props} arn={arn} />
          },
          {
            id: 'details',
            label: trans.__('Details'),
            render: () => <Details described={described} trans={trans} />
          }
        ]}
      />
    </>
  );
}

/** What validation found wrong. */
function Problems(props: {
  described: IDescribeModelPackageOutput;
  trans: TranslationBundle;
}): JSX.Element | null {
  const { described, trans } = props;
  const problems =
    described.ModelPackageStatusDetails.ValidationStatuses.filter(
      item => item.FailureReason
    );
  if (problems.length === 0) {
    return null;
  }
  return (
    <div className="jp-BottegaFailure" role="alert">
      <p className="jp-BottegaFailure-what">
        {trans.__('The version is not valid.')}
      </p>
      {problems.map(item => (
        <p key={item.Name} className="jp-BottegaFailure-message">
          {item.Name}: {item.FailureReason}
        </p>
      ))}
    </div>
  );
}

function Details(props: {
  described: IDescribeModelPackageOutput;
  trans: TranslationBundle;
}): JSX.Element {
  const { described, trans } = props;
  const specification = described.InferenceSpecification;
  return (
    <>
      <section className="jp-BottegaCard">
        <h3>{trans.__('Version')}</h3>
        <Facts
          facts={[
            [trans.__('ARN'), described.ModelPackageArn],
            [trans.__('Description'), described.ModelPackageDescription ?? ''],
            [trans.__('Registered'), moment(described.CreationTime)],
            [
              trans.__('Registered by'),
              sessionOf(described.CreatedBy?.IamIdentity?.Arn ?? '')
            ],
            ...Object.entries(described.CustomerMetadataProperties ?? {})
          ]}
        />
      </section>
      {(specification?.Containers ?? []).map((container, index) => (
        <section
          key={container.ContainerHostname ?? index}
          className="jp-BottegaCard"
        >
          <h3>{trans.__('Container %1', index + 1)}</h3>
          <Facts
            facts={[
              [trans.__('Image'), container.Image ?? ''],
              [
                trans.__('Model data'),
                container.ModelDataUrl ??
                  container.ModelDataSource?.S3DataSource?.S3Uri ??
                  ''
              ],
              ...Object.entries(container.Environment ?? {}).map(
                ([name, value]) => [name, <code>{value}</code>] as const
              )
            ]}
          />
        </section>
      ))}
    </>
  );
}

/** Ask for the reason, and approve or reject; says why where that is refused. */
export async function decideVersion(
  client: IBottegaClient,
  arn: string,
  status: RegistryApproval,
  trans: TranslationBundle
): Promise<void> {
  const approves = status === 'Approved';
  const answer = await InputDialog.getText({
    title: approves
      ? trans.__('Approve this version?')
      : trans.__('Reject this version?'),
    label: approves
      ? trans.__('It can be deployed afterwards. Why (may be left empty):')
      : trans.__(
          'It cannot be deployed afterwards; endpoints that serve it go on. Why (may be left empty):'
        ),
    okLabel: approves ? trans.__('Approve') : trans.__('Reject')
  });
  if (!answer.button.accept) {
    return;
  }
  await attempt(
    () =>
      client.call('sagemaker:UpdateModelPackage', {
        ModelPackageArn: arn,
        ModelApprovalStatus: status,
        ApprovalDescription: answer.value ?? ''
      }),
    trans.__('The version is not changed'),
    trans
  );
}
