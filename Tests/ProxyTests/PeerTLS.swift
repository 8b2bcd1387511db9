import Simulation
import TLS
import Testing

/// What simulated clients speak TLS with.
enum ClientTLS {
    static let http1 = SimulatedCertificate.client()
    static let oldest = SimulatedCertificate.client(newest: .v1_2)
    static let http2 = SimulatedCertificate.client(protocols: ["h2"])
    /// Does not accept the proxy's certificate.
    static let distrustful = SimulatedCertificate.client(trusting: SimulatedCertificate.untrustedAuthority.pem)

    static func layer(_ context: TLSClientContext, resuming ticket: TLSTicket? = nil) -> TLSLayer? {
        do throws(TLSError) {
            return try TLSLayer(client: context, resuming: ticket)
        } catch {
            Issue.record("a client without TLS: \(error)")
            return nil
        }
    }
}

/// What simulated servers speak TLS with.
enum ServerTLS {
    static let trusted = SimulatedCertificate.server()
    /// Shows a certificate that the proxy does not accept.
    static let untrusted = SimulatedCertificate.server(SimulatedCertificate.untrustedAuthority.identity)

    static func layer(_ context: TLSContext) -> TLSLayer? {
        do throws(TLSError) {
            return try TLSLayer(server: context)
        } catch {
            Issue.record("a server without TLS: \(error)")
            return nil
        }
    }
}
