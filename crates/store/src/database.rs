//! Opens the database.

use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
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
        std::fs::create_dir_all(folder).map_err(unusable)?;
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
