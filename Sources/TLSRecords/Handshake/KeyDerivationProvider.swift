import COpenSSL

/// A provider of OpenSSL's (provider(7)) with one algorithm, TLS13-KDF: with it, handshakes derive their keys by `KeyDerivation`,
/// which allocates nothing, and the traffic secrets are seen by whoever runs the handshake.
package enum KeyDerivationProvider {
    /// The property query with which contexts prefer it; nil if it cannot be had, and then all is OpenSSL's own. In FIPS mode it is
    /// not used.
    package static let query: String? = {
        guard EVP_default_properties_is_fips_enabled(nil) == 0,
            OSSL_PROVIDER_add_builtin(nil, "berth", { _, _, functions, _ in KeyDerivationProvider.start(functions) })
                == 1,
            // Once a provider is named, the default one is not there by itself.
            OSSL_PROVIDER_load(nil, "default") != nil, OSSL_PROVIDER_load(nil, "berth") != nil
        else {
            ERR_clear_error()
            return nil
        }
        return "?provider=berth"
    }()

    private static func start(_ functions: UnsafeMutablePointer<UnsafePointer<OSSL_DISPATCH>?>?) -> CInt {
        functions?.pointee = UnsafePointer(tables.provider)
        return 1
    }

    // MARK: - Tables, which live as long as the process

    private struct Tables {
        let provider: UnsafeMutablePointer<OSSL_DISPATCH>
        let algorithms: UnsafeMutablePointer<OSSL_ALGORITHM>
        /// What a context points to: there is no state in one.
        let context: UnsafeMutableRawPointer
    }

    private typealias Function = @convention(c) () -> Void
    private typealias QueryOperation =
        @convention(c) (
            UnsafeMutableRawPointer?, CInt, UnsafeMutablePointer<CInt>?
        ) -> UnsafePointer<OSSL_ALGORITHM>?
    private typealias NewContext = @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer?
    private typealias FreeContext = @convention(c) (UnsafeMutableRawPointer?) -> Void
    private typealias Derive =
        @convention(c) (
            UnsafeMutableRawPointer?, UnsafeMutablePointer<UInt8>?, Int, UnsafePointer<OSSL_PARAM>?
        ) -> CInt

    /// Written once, before OpenSSL sees them.
    nonisolated(unsafe) private static let tables: Tables = {
        let query: QueryOperation = { _, operation, _ in
            operation == OSSL_OP_KDF ? UnsafePointer(KeyDerivationProvider.tables.algorithms) : nil
        }
        let new: NewContext = { _ in KeyDerivationProvider.tables.context }
        let free: FreeContext = { _ in }
        let derive: Derive = { _, output, count, parameters in
            KeyDerivationProvider.derive(UnsafeMutableRawBufferPointer(start: output, count: count), parameters)
        }
        let provider = table([(OSSL_FUNC_PROVIDER_QUERY_OPERATION, unsafeBitCast(query, to: Function.self))])
        let kdf = table([
            (OSSL_FUNC_KDF_NEWCTX, unsafeBitCast(new, to: Function.self)),
            (OSSL_FUNC_KDF_FREECTX, unsafeBitCast(free, to: Function.self)),
            (OSSL_FUNC_KDF_RESET, unsafeBitCast(free, to: Function.self)),
            (OSSL_FUNC_KDF_DERIVE, unsafeBitCast(derive, to: Function.self)),
        ])
        let algorithms = UnsafeMutablePointer<OSSL_ALGORITHM>.allocate(capacity: 2)
        algorithms.initialize(repeating: OSSL_ALGORITHM(), count: 2)
        algorithms[0].algorithm_names = constant("TLS13-KDF")
        algorithms[0].property_definition = constant("provider=berth")
        algorithms[0].implementation = UnsafePointer(kdf)
        return Tables(
            provider: provider, algorithms: algorithms,
            context: UnsafeMutableRawPointer.allocate(byteCount: 16, alignment: 16))
    }()

    private static func table(_ entries: [(CInt, Function)]) -> UnsafeMutablePointer<OSSL_DISPATCH> {
        let table = UnsafeMutablePointer<OSSL_DISPATCH>.allocate(capacity: entries.count + 1)
        table.initialize(repeating: OSSL_DISPATCH(), count: entries.count + 1)
        for (index, entry) in entries.enumerated() {
            table[index] = OSSL_DISPATCH(function_id: entry.0, function: entry.1)
        }
        return table
    }

    private static func constant(_ text: StaticString) -> UnsafePointer<CChar> {
        UnsafeRawPointer(text.utf8Start).assumingMemoryBound(to: CChar.self)
    }

    // MARK: - Deriving

    private static func derive(
        _ output: UnsafeMutableRawBufferPointer, _ parameters: UnsafePointer<OSSL_PARAM>?
    ) -> CInt {
        guard let name = OSSL_PARAM_locate_const(parameters, "digest")?.pointee.data,
            let function = HashFunction(name: name.assumingMemoryBound(to: CChar.self)),
            let mode = OSSL_PARAM_locate_const(parameters, "mode")
        else { return 0 }
        var number: CInt = -1
        guard OSSL_PARAM_get_int(mode, &number) == 1 else { return 0 }
        let key = bytes("key", parameters)
        let prefix = bytes("prefix", parameters) ?? UnsafeRawBufferPointer(start: nil, count: 0)
        let label = bytes("label", parameters) ?? UnsafeRawBufferPointer(start: nil, count: 0)
        switch number {
        case EVP_KDF_HKDF_MODE_EXTRACT_ONLY:
            guard output.count == function.count, let start = output.baseAddress else { return 0 }
            let isDone = KeyDerivation.extract(
                function, previous: bytes("salt", parameters), input: key, prefix: prefix, label: label, into: start)
            return isDone ? 1 : 0
        case EVP_KDF_HKDF_MODE_EXPAND_ONLY:
            guard let key else { return 0 }
            let context = bytes("data", parameters) ?? UnsafeRawBufferPointer(start: nil, count: 0)
            guard
                KeyDerivation.expand(
                    function, secret: key, prefix: prefix, label: label, context: context, into: output)
            else { return 0 }
            HandshakeSecrets.note(label, UnsafeRawBufferPointer(output))
            return 1
        default: return 0
        }
    }

    private static func bytes(
        _ name: String, _ parameters: UnsafePointer<OSSL_PARAM>?
    ) -> UnsafeRawBufferPointer? {
        guard let parameter = OSSL_PARAM_locate_const(parameters, name), let data = parameter.pointee.data else {
            return nil
        }
        return UnsafeRawBufferPointer(start: data, count: parameter.pointee.data_size)
    }
}
