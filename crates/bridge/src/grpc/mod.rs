//! The gRPC service for provider systems: `proto/radline/v1/provider.proto`.

use std::net::SocketAddr;
use std::sync::Arc;

use radline_store::Store;
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tokio_util::sync::CancellationToken;
use tonic::transport::{Certificate, Identity, Server, ServerTlsConfig};

use crate::bridge::{Bridge, ReadClock};
use crate::limits;

pub(crate) mod convert;
mod service;
mod talk;

/// The messages, as they are generated.
#[expect(
    clippy::pedantic,
    clippy::allow_attributes,
    clippy::allow_attributes_without_reason,
    clippy::large_enum_variant,
    reason = "generated"
)]
pub mod v1 {
    tonic::include_proto!("radline.v1");
}

pub(crate) use convert::{answer_key, level_key};
pub use service::{ProviderGrpc, token_hash};

/// Certificates of the service. Without them it speaks to its own machine only.
#[derive(Debug, Clone)]
pub struct Tls {
    /// Our certificate chain, PEM.
    pub certificate: Vec<u8>,
    /// Its key, PEM.
    pub key: Vec<u8>,
    /// Whose clients may connect, PEM. Every client has to show a certificate of theirs.
    pub clients: Option<Vec<u8>>,
}

/// What the service needs.
#[derive(Clone)]
pub struct Grpc {
    /// Calls and providers.
    pub bridge: Arc<Bridge>,
    /// Accounts and audit.
    pub store: Store,
    /// Reads the time.
    pub clock: ReadClock,
    /// Certificates.
    pub tls: Option<Tls>,
}

/// The service cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum GrpcError {
    /// The address is taken or not ours.
    #[error("gRPC cannot listen on {address}: {reason}")]
    Listen {
        /// As configured.
        address: SocketAddr,
        /// From the system.
        reason: String,
    },
    /// Bare TCP to other machines would carry health data in the clear.
    #[error(
        "gRPC on {0} needs certificates: set certificate_file and key_file in [grpc], or listen on \
         127.0.0.1"
    )]
    Bare(SocketAddr),
    /// The certificates do not read, or the server failed.
    #[error("the gRPC service failed: {0}")]
    Failed(#[from] tonic::transport::Error),
    /// The service's own description does not read.
    #[error("the gRPC service cannot describe itself: {0}")]
    Description(#[from] tonic_reflection::server::Error),
}

/// An open service.
pub struct OpenGrpc {
    listener: TcpListener,
    router: tonic::transport::server::Router,
}

impl std::fmt::Debug for OpenGrpc {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("OpenGrpc").finish_non_exhaustive()
    }
}

impl Grpc {
    /// Opens the service, with health and reflection beside it.
    ///
    /// # Errors
    /// The address is taken, or needs certificates that are missing or wrong.
    pub async fn open(self, address: SocketAddr) -> Result<OpenGrpc, GrpcError> {
        if self.tls.is_none() && !address.ip().is_loopback() {
            return Err(GrpcError::Bare(address));
        }
        let mut server = Server::builder()
            // Half a minute of a dead network must not keep a caller in silence.
            .http2_keepalive_interval(Some(limits::KEEPALIVE))
            .http2_keepalive_timeout(Some(limits::KEEPALIVE))
            .tcp_nodelay(true)
            .max_concurrent_streams(limits::STREAMS_MAX);
        if let Some(tls) = &self.tls {
            let identity = Identity::from_pem(&tls.certificate, &tls.key);
            let mut config = ServerTlsConfig::new().identity(identity);
            if let Some(clients) = &tls.clients {
                config = config.client_ca_root(Certificate::from_pem(clients));
            }
            server = server.tls_config(config)?;
        }
        let description = include_bytes!(concat!(env!("OUT_DIR"), "/radline.v1.bin"));
        let reflection = tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(description)
            .build_v1()?;
        let (health, health_service) = tonic_health::server::health_reporter();
        let service =
            v1::provider_service_server::ProviderServiceServer::new(ProviderGrpc::new(self));
        let service = service.max_decoding_message_size(limits::MESSAGE_MAX);
        health
            .set_serving::<v1::provider_service_server::ProviderServiceServer<ProviderGrpc>>()
            .await;
        let router =
            server.add_service(service).add_service(health_service).add_service(reflection);
        let listener = TcpListener::bind(address).await;
        let listener =
            listener.map_err(|error| GrpcError::Listen { address, reason: error.to_string() })?;
        Ok(OpenGrpc { listener, router })
    }
}

impl OpenGrpc {
    /// The address that it listens on.
    pub fn address(&self) -> Option<SocketAddr> {
        self.listener.local_addr().ok()
    }

    /// Serves until told to stop, and then for as long as streams take to end.
    pub async fn serve(self, stop: CancellationToken) {
        let stream = TcpListenerStream::new(self.listener);
        let end = stop.clone();
        let served = self.router.serve_with_incoming_shutdown(stream, stop.cancelled_owned());
        let grace = async {
            end.cancelled().await;
            tokio::time::sleep(limits::STREAMS_END).await;
        };
        tokio::select! {
            result = served => if let Err(error) = result {
                tracing::error!(%error, "the gRPC side ended");
            },
            () = grace => {}
        }
    }
}
