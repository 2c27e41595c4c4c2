-- The accounts of the house, under ids that every program may know.

insert into payment.accounts (id, kind, name) values
	('00000000-0000-7000-8000-000000000001', 'provider_clearing', 'gopay_clearing'),
	('00000000-0000-7000-8000-000000000002', 'provider_clearing', 'shopeepay_clearing'),
	('00000000-0000-7000-8000-000000000003', 'bank_clearing', 'bank_clearing'),
	('00000000-0000-7000-8000-000000000004', 'fee', 'fee'),
	('00000000-0000-7000-8000-000000000005', 'suspense', 'suspense'),
	('00000000-0000-7000-8000-000000000006', 'capital', 'capital');

insert into payment.limit_rules (tier, rule, amount, effective_from, citation) values
	('unregistered', 'balance', 200000000, '2009-04-13 00:00+07',
		'Bank Indonesia, e-money, unregistered holder: IDR 2,000,000'),
	('registered', 'balance', 1000000000, '2018-05-04 00:00+07',
		'Bank Indonesia, e-money, registered holder: IDR 10,000,000 before 1 July 2022 (secondary source)'),
	('registered', 'balance', 2000000000, '2022-07-01 00:00+07',
		'Bank Indonesia, e-money, registered holder: IDR 20,000,000 since 1 July 2022 (secondary source)'),
	('unregistered', 'monthly_incoming', 2000000000, '2018-05-04 00:00+07',
		'Bank Indonesia, e-money, incoming a calendar month: IDR 20,000,000 (secondary source)'),
	('registered', 'monthly_incoming', 4000000000, '2022-07-01 00:00+07',
		'Bank Indonesia, e-money, incoming a calendar month, registered: IDR 40,000,000 (secondary source)'),
	('any', 'qris_payment', 1000000000, '2022-03-01 00:00+07',
		'Bank Indonesia, QRIS, one payment: IDR 10,000,000');
