/// A certificate with its key and its OCSP response.
package struct TLSIdentity: Equatable, Sendable {
    /// The certificate chain, leaf first, in PEM form.
    package var certificate: CredentialSource
    /// The private key, in PEM form.
    package var key: CredentialSource
    /// An OCSP response in DER form, for servers to send; nil: there is none.
    package var staple: CredentialSource?

    /// Stores all three.
    package init(certificate: CredentialSource, key: CredentialSource, staple: CredentialSource? = nil) {
        self.certificate = certificate
        self.key = key
        self.staple = staple
    }
}
