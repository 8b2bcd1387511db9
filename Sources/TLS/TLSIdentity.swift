/// A certificate chain (leaf first) and its key in PEM form, what an authority says of it, and where all of that is.
package struct TLSIdentity: Equatable, Sendable {
    package var certificate: CredentialSource
    package var key: CredentialSource
    /// An OCSP response in DER form, for servers to show; nil: there is none.
    package var staple: CredentialSource?

    package init(certificate: CredentialSource, key: CredentialSource, staple: CredentialSource? = nil) {
        self.certificate = certificate
        self.key = key
        self.staple = staple
    }
}
