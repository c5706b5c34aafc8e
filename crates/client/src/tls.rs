//! TLS as the system trusts it.

use std::error::Error;
use std::sync::Arc;

use hyper_rustls::{ConfigBuilderExt as _, HttpsConnector, HttpsConnectorBuilder};
use rustls::ClientConfig;
use rustls::crypto::aws_lc_rs::default_provider;

/// What makes connections with TLS to addresses with `https`, and without it to the others.
pub(crate) type Https<C> = HttpsConnector<C>;

/// What is trusted.
pub(crate) struct Tls(ClientConfig);

impl Tls {
    /// Trusts what the system trusts.
    ///
    /// # Errors
    ///
    /// Fails if the system's certificates cannot be read.
    pub(crate) fn of_the_system() -> Result<Self, Box<dyn Error + Send + Sync>> {
        let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()?
            .try_with_platform_verifier()?
            .with_no_client_auth();
        Ok(Self(config))
    }

    /// Returns what makes connections by TLS over those of another connector.
    pub(crate) fn over<C>(&self, connector: C) -> Https<C> {
        HttpsConnectorBuilder::new()
            .with_tls_config(self.0.clone())
            .https_or_http()
            .enable_http1()
            .wrap_connector(connector)
    }
}
