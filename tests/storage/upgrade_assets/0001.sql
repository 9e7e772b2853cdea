-- A small database of schema version 0001, as `sqlite3 metadata.sqlite .dump` shows it.
BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0001');
CREATE TABLE resources (
	kind TEXT NOT NULL, 
	name TEXT NOT NULL, 
	arn TEXT, 
	status TEXT NOT NULL, 
	created DOUBLE NOT NULL, 
	modified DOUBLE NOT NULL, 
	version BIGINT NOT NULL, 
	body TEXT NOT NULL, 
	private TEXT NOT NULL, 
	CONSTRAINT pk_resources PRIMARY KEY (kind, name), 
	CONSTRAINT uq_resources_arn UNIQUE (arn)
);
INSERT INTO "resources" VALUES('TrainingJob','abalone','arn:aws:sagemaker:us-east-1:000000000000:training-job/abalone','Completed',1700000000.125,1700000060.5,4,'{"TrainingJobName":"abalone","Unicode":"\u00fcn\u00efcode","Rounds":3}','{"step":"done"}');
INSERT INTO "resources" VALUES('Internal','without-arn',NULL,'',1700000001.0,1700000001.0,1,'{}','{}');
CREATE TABLE tags (
	arn TEXT NOT NULL, 
	"key" TEXT NOT NULL, 
	value TEXT NOT NULL, 
	CONSTRAINT pk_tags PRIMARY KEY (arn, "key"), 
	CONSTRAINT fk_tags_arn FOREIGN KEY(arn) REFERENCES resources (arn) ON DELETE CASCADE
);
INSERT INTO "tags" VALUES('arn:aws:sagemaker:us-east-1:000000000000:training-job/abalone','team','shells');
CREATE INDEX ix_resources_created ON resources (kind, created, name);
CREATE INDEX ix_resources_modified ON resources (kind, modified, name);
CREATE INDEX ix_resources_status ON resources (kind, status, name);
COMMIT;
