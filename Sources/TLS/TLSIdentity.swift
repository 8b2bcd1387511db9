/// A certificate chain (leaf first) and its key, and where both are.
package struct TLSIdentity: Equatable, Sendable {
    package var certificate: PEMSource
    package var key: PEMSource

    package init(certificate: PEMSource, key: PEMSource) {
        self.certificate = certificate
        self.key = key
    }
}
