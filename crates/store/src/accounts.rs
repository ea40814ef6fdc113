//! People who use the console or a provider system: accounts, tokens, what they did with calls.

use jiff::Timestamp;
use radline_phi::Phi;
use serde::{Deserialize, Serialize};
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use crate::database::{Store, StoreError};

/// What an account may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Takes calls, sees tasks and the record of calls.
    Provider,
    /// The same, and looks after accounts.
    Supervisor,
    /// Keeps the system running; sees figures, nobody's words.
    Operator,
    /// Sees figures for research, nobody's words.
    Researcher,
}

impl Role {
    /// Name in the database and for people.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Provider => "provider",
            Self::Supervisor => "supervisor",
            Self::Operator => "operator",
            Self::Researcher => "researcher",
        }
    }

    /// The role of this name.
    pub fn from_key(key: &str) -> Option<Self> {
        [Self::Provider, Self::Supervisor, Self::Operator, Self::Researcher]
            .into_iter()
            .find(|role| role.key() == key)
    }
}

/// An account.
#[derive(Debug, Clone)]
pub struct Account {
    /// Its name, for signing in.
    pub name: String,
    /// The person's name, as colleagues see it.
    pub display: String,
    /// What it may do.
    pub role: Role,
    /// The password's hash, Argon2id in PHC format.
    pub password: String,
    /// The secret of its one-time codes, base32.
    pub totp: Secret,
    /// The time step of the last one-time code that was used.
    pub used: i64,
    /// When it was made.
    pub created: Timestamp,
}

/// A secret that no log can print.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("[secret]")
    }
}

/// What a provider did with a call.
#[derive(Debug, Clone)]
pub struct WrapUp {
    /// The call.
    pub call: String,
    /// The account.
    pub provider: String,
    /// "handed_back", "finished", "transferred", "lost".
    pub how: &'static str,
    /// What came of it, in a word.
    pub outcome: String,
    /// In the provider's words.
    pub note: Phi<String>,
}

/// The same, as it was kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrapUpEntry {
    /// The account.
    pub provider: String,
    /// "handed_back", "finished", "transferred", "lost".
    pub how: String,
    /// What came of it, in a word.
    pub outcome: String,
    /// In the provider's words.
    pub note: Phi<String>,
}

impl Store {
    /// Adds an account. Whether the name was free.
    pub async fn add_account(&self, account: &Account) -> Result<bool, StoreError> {
        let added = sqlx::query(
            "INSERT INTO account (name, display, role, password, totp, created)
             VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        )
        .bind(&account.name)
        .bind(&account.display)
        .bind(account.role.key())
        .bind(&account.password)
        .bind(&account.totp.0)
        .bind(account.created.as_second())
        .execute(&self.pool)
        .await?;
        Ok(added.rows_affected() > 0)
    }

    /// An account by its name.
    pub async fn account(&self, name: &str) -> Result<Option<Account>, StoreError> {
        let row = sqlx::query("SELECT * FROM account WHERE name = ?")
            .bind(name)
            .fetch_optional(&self.pool)
            .await?;
        row.as_ref().map(account).transpose()
    }

    /// Every account, by name.
    pub async fn accounts(&self) -> Result<Vec<Account>, StoreError> {
        let rows = sqlx::query("SELECT * FROM account ORDER BY name").fetch_all(&self.pool).await?;
        rows.iter().map(account).collect()
    }

    /// Takes an account away, with its tokens. Whether it was there.
    pub async fn remove_account(&self, name: &str) -> Result<bool, StoreError> {
        let removed = sqlx::query("DELETE FROM account WHERE name = ?").bind(name);
        Ok(removed.execute(&self.pool).await?.rows_affected() > 0)
    }

    /// Uses a one-time code by its time step. False when it, or a later one, was used before.
    pub async fn use_code(&self, name: &str, step: i64) -> Result<bool, StoreError> {
        let used = sqlx::query("UPDATE account SET used = ?1 WHERE name = ?2 AND used < ?1")
            .bind(step)
            .bind(name);
        Ok(used.execute(&self.pool).await?.rows_affected() > 0)
    }

    /// Keeps a bearer token by its SHA-256, in hexadecimal.
    pub async fn add_token(
        &self,
        hash: &str,
        account: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        sqlx::query("INSERT INTO token (hash, account, created) VALUES (?, ?, ?)")
            .bind(hash)
            .bind(account)
            .bind(now.as_second())
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// The account that a bearer token stands for.
    pub async fn account_of_token(&self, hash: &str) -> Result<Option<Account>, StoreError> {
        let row = sqlx::query(
            "SELECT account.* FROM token JOIN account ON account.name = token.account
             WHERE token.hash = ?",
        )
        .bind(hash)
        .fetch_optional(&self.pool)
        .await?;
        row.as_ref().map(account).transpose()
    }

    /// Whether the provider has had this call.
    pub async fn has_wrap_up(&self, call: &str, provider: &str) -> Result<bool, StoreError> {
        let row = sqlx::query("SELECT 1 FROM wrap_up WHERE call_id = ? AND provider = ? LIMIT 1")
            .bind(call)
            .bind(provider)
            .fetch_optional(&self.pool)
            .await?;
        Ok(row.is_some())
    }

    /// What providers did with a call, in order, each with its time.
    pub async fn wrap_ups(&self, call: &str) -> Result<Vec<(Timestamp, WrapUpEntry)>, StoreError> {
        let rows = sqlx::query("SELECT * FROM wrap_up WHERE call_id = ? ORDER BY at, rowid")
            .bind(call)
            .fetch_all(&self.pool)
            .await?;
        let entry = |row: &SqliteRow| {
            let at = Timestamp::from_second(row.try_get("at")?)
                .map_err(|_| StoreError::Corrupt { what: "wrap-up" })?;
            let entry = WrapUpEntry {
                provider: row.try_get("provider")?,
                how: row.try_get("how")?,
                outcome: row.try_get("outcome")?,
                note: Phi::new(row.try_get("note")?),
            };
            Ok((at, entry))
        };
        rows.iter().map(entry).collect()
    }

    /// Keeps what a provider did with a call.
    pub async fn keep_wrap_up(&self, wrap_up: &WrapUp, now: Timestamp) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO wrap_up (call_id, provider, at, how, outcome, note)
             VALUES (?, ?, ?, ?, ?, ?)",
        )
        .bind(&wrap_up.call)
        .bind(&wrap_up.provider)
        .bind(now.as_second())
        .bind(wrap_up.how)
        .bind(&wrap_up.outcome)
        .bind(wrap_up.note.expose())
        .execute(&self.pool)
        .await?;
        Ok(())
    }
}

fn account(row: &SqliteRow) -> Result<Account, StoreError> {
    let corrupt = || StoreError::Corrupt { what: "account" };
    let role: String = row.try_get("role")?;
    let created: i64 = row.try_get("created")?;
    Ok(Account {
        name: row.try_get("name")?,
        display: row.try_get("display")?,
        role: Role::from_key(&role).ok_or_else(corrupt)?,
        password: row.try_get("password")?,
        totp: Secret(row.try_get("totp")?),
        used: row.try_get("used")?,
        created: Timestamp::from_second(created).map_err(|_| corrupt())?,
    })
}
