CREATE INDEX pdb_token_expires_at ON pdb_token(expires_at)
CREATE TABLE pdb_document(kind TEXT NOT NULL,name TEXT NOT NULL,value TEXT NOT NULL,checksum INTEGER,PRIMARY KEY(kind,name))STRICT,WITHOUT ROWID
CREATE TABLE pdb_history(table_id INTEGER PRIMARY KEY,earliest_at INTEGER,next_number INTEGER NOT NULL,newest_at INTEGER NOT NULL,checksum INTEGER NOT NULL)STRICT
CREATE TABLE pdb_metadata(id INTEGER PRIMARY KEY AUTOINCREMENT,table_name TEXT NOT NULL UNIQUE,item_table TEXT NOT NULL UNIQUE,definition TEXT NOT NULL,stream_enabled INTEGER NOT NULL,stream_view_type TEXT,stream_arn TEXT,stream_label TEXT,checksum INTEGER)STRICT
CREATE TABLE pdb_setting(name TEXT PRIMARY KEY,value BLOB NOT NULL,checksum INTEGER)STRICT,WITHOUT ROWID
CREATE TABLE pdb_shard(stream_id INTEGER NOT NULL,number INTEGER NOT NULL,shard_id TEXT NOT NULL,parent_shard_id TEXT,hash_from TEXT NOT NULL,hash_to TEXT NOT NULL,starting_sequence INTEGER NOT NULL,ending_sequence INTEGER,trimmed_sequence INTEGER NOT NULL,next_sequence INTEGER NOT NULL,opened_at INTEGER NOT NULL,closed_at INTEGER,checksum INTEGER,time_steps TEXT,newest_record_at INTEGER,PRIMARY KEY(stream_id,number),UNIQUE(stream_id,shard_id))STRICT
CREATE TABLE pdb_statistic(id INTEGER PRIMARY KEY AUTOINCREMENT,table_id INTEGER NOT NULL,index_name TEXT NOT NULL,item_count INTEGER NOT NULL,size_bytes INTEGER NOT NULL,checksum INTEGER,UNIQUE(table_id,index_name))STRICT
CREATE TABLE pdb_stream(id INTEGER PRIMARY KEY AUTOINCREMENT,table_name TEXT NOT NULL,record_table TEXT NOT NULL,label TEXT NOT NULL,arn TEXT NOT NULL UNIQUE,view_type TEXT NOT NULL,key_schema TEXT NOT NULL,created_at INTEGER NOT NULL,disabled_at INTEGER,checksum INTEGER,UNIQUE(table_name,label))STRICT
CREATE TABLE pdb_token(token TEXT PRIMARY KEY,fingerprint BLOB NOT NULL,answer TEXT NOT NULL,expires_at INTEGER NOT NULL,checksum INTEGER)STRICT
CREATE TABLE sqlite_sequence(name,seq)
