//! Opens the database.

use std::fs::{DirBuilder, File, TryLockError};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::de::DeserializeOwned;
use sqlx::Row;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteRow,
    SqliteSynchronous,
};

/// Connections at once: one writes, the others read beside it.
const CONNECTIONS_MAX: u32 = 4;
/// Longest wait for another writer.
const BUSY_TIMEOUT: Duration = Duration::from_secs(4);
/// Longest wait for a connection.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(4);

/// What can go wrong with the store. Messages hold no health data.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The folder cannot be used.
    #[error("the data folder {folder} cannot be used: {reason}")]
    Folder {
        /// Path as given.
        folder: String,
        /// From the system.
        reason: String,
    },
    /// Another server runs on the same data.
    #[error(
        "another Radline serves from {folder}. Stop it, or give this one a folder of its own \
         with --data"
    )]
    InUse {
        /// Path as given.
        folder: String,
    },
    /// A record of an import breaks a promise of the schedule.
    #[error(
        "line {line}: this slot or this order has an appointment already; cancel that one first"
    )]
    Conflict {
        /// Line of the file, from 1.
        line: usize,
    },
    /// The database failed.
    #[error("the database failed: {0}")]
    Database(#[from] sqlx::Error),
    /// The database is of another version.
    #[error("the database cannot be brought up to date: {0}")]
    Migration(#[from] sqlx::migrate::MigrateError),
    /// A stored value is not what it should be.
    #[error("a stored {what} cannot be read")]
    Corrupt {
        /// Kind of record.
        what: &'static str,
    },
}

/// The database and the folder that it and the recordings live in.
#[derive(Debug, Clone)]
pub struct Store {
    pub(crate) pool: SqlitePool,
    folder: PathBuf,
}

impl Store {
    /// Opens the store in a folder, creating both when they are missing.
    pub async fn open(folder: &Path) -> Result<Self, StoreError> {
        let unusable = |error: std::io::Error| StoreError::Folder {
            folder: folder.display().to_string(),
            reason: error.to_string(),
        };
        // Health data lies here: nobody but this user looks in.
        DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(unusable)?;
        let options = SqliteConnectOptions::new()
            .filename(folder.join("radline.db"))
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // A confirmed appointment survives a power cut, not only a crash.
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(BUSY_TIMEOUT);
        let pool = SqlitePoolOptions::new()
            .max_connections(CONNECTIONS_MAX)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .connect_with(options)
            .await?;
        sqlx::migrate!().run(&pool).await?;
        Ok(Self { pool, folder: folder.to_owned() })
    }

    /// Claims the folder for this server. A second one on the same data would free the times that
    /// the first one's calls hold. The claim ends with the value, or with the process.
    pub fn claim(&self) -> Result<File, StoreError> {
        let folder = self.folder.display().to_string();
        let unusable = |error: std::io::Error| StoreError::Folder {
            folder: folder.clone(),
            reason: error.to_string(),
        };
        let file = File::create(self.folder.join("serve.lock")).map_err(unusable)?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(TryLockError::WouldBlock) => Err(StoreError::InUse { folder }),
            Err(TryLockError::Error(error)) => Err(unusable(error)),
        }
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Whether the database answers.
    pub async fn is_alive(&self) -> bool {
        sqlx::query("SELECT 1").execute(&self.pool).await.is_ok()
    }

    /// Closes every connection, so that everything is on disk.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

/// What a row keeps as JSON.
pub(crate) fn body<T: DeserializeOwned>(
    row: &SqliteRow,
    what: &'static str,
) -> Result<T, StoreError> {
    let body: String = row.try_get("body")?;
    serde_json::from_str(&body).map_err(|_| StoreError::Corrupt { what })
}
